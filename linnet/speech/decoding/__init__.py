"""From a network's answers to words: what a recording most likely says, how sure that is, and when each word was said.

Answers are those of connectionist temporal classification, the blank first. `best_paths` walks a graph compiled from
a grammar, `beam_search` all words of a lexicon with a word model; both take log probabilities. This room knows no
network.
"""

from linnet.speech.decoding.beam import Found, beam_search
from linnet.speech.decoding.confidence import Calibration, Evidence, calibrated, evidence_of
from linnet.speech.decoding.graph import Graph, compile_graph
from linnet.speech.decoding.greedy import greedy, log_posteriors
from linnet.speech.decoding.viterbi import Path, Spoken, best_paths
from linnet.speech.decoding.words import Vocabulary, Worth, vocabulary

__all__ = ["Calibration", "Evidence", "Found", "Graph", "Path", "Spoken", "Vocabulary", "Worth", "beam_search",
           "best_paths", "calibrated", "compile_graph", "evidence_of", "greedy", "log_posteriors", "vocabulary"]
