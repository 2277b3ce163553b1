"""Word models: how likely a word is after others, learnt from texts, in and out of ARPA files.

Knows words; knows no pronunciation and no sound.
"""

from linnet.language.ngram.arpa import read_arpa, to_arpa
from linnet.language.ngram.model import END, START, UNKNOWN, NGram
from linnet.language.ngram.training import train

__all__ = ["END", "START", "UNKNOWN", "NGram", "read_arpa", "to_arpa", "train"]
