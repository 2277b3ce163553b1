"""Entities: numbers, amounts, dates, times, phone numbers and names from lists, with their values.

English. Numbers in words are read by the package text2num, phone numbers by phonenumbers, names that are spelt a little
otherwise by rapidfuzz; dates and times by rules of our own. `find` asks for all of them at once.
"""

from linnet.language.entities.entity import Entity
from linnet.language.entities.find import KINDS, find
from linnet.language.entities.names import Names

__all__ = ["KINDS", "Entity", "Names", "find"]
