"""How a text was said: which phones were good, which were likely said instead, from a network's answers to frames.

Arrays in, numbers out: any network that answers frames with phones will do. It knows no task and no file.
"""

from __future__ import annotations

from linnet.speech.pronunciation.alternatives import Alternatives, alternatives
from linnet.speech.pronunciation.features import PHONE, UTTERANCE, Judged, judge
from linnet.speech.pronunciation.instead import LEFT_OUT, Instead, likely_instead

__all__ = ["LEFT_OUT", "PHONE", "UTTERANCE", "Alternatives", "Instead", "Judged", "alternatives", "judge",
           "likely_instead"]
