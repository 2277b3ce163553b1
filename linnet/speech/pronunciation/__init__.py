"""How a text was said: which phones were good, which were likely said instead, from a network's answers to frames.

Arrays in, numbers out: any network that answers frames with phones will do. It knows no task and no file.
"""

from __future__ import annotations

from linnet.speech.pronunciation.alternatives import Alternatives, alternatives
from linnet.speech.pronunciation.features import PHONE, UTTERANCE, Judged, judge

__all__ = ["PHONE", "UTTERANCE", "Alternatives", "Judged", "alternatives", "judge"]
