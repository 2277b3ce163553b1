"""Understanding around a classifier: several readings of one utterance, what was said before, why nothing is answered,
new intents from a few examples, words of two languages in one sentence.

Texts and probabilities in, answers out: this room knows no network and no task, so whatever gives probabilities will
do, a linear model of characters and words as well as a transformer.
"""

from linnet.language.understanding.context import in_context
from linnet.language.understanding.fewshot import NewIntents, learn
from linnet.language.understanding.mixed import mixing, scripts
from linnet.language.understanding.nbest import merged, weights
from linnet.language.understanding.reasons import Reason, Thresholds, reasons

__all__ = ["NewIntents", "Reason", "Thresholds", "in_context", "learn", "merged", "mixing", "reasons", "scripts",
           "weights"]
