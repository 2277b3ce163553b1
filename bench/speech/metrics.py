"""Error rates beside jiwer, and how often two equal recognizers are called different.

    LINNET_DATA=<folder> python bench/speech/metrics.py

Texts are those of the speechocean762 test part; each word is left out, replaced or doubled by chance (seed 0). For the
second table two recognizers make errors that depend on the sentence but are equally good; counted is how often a test
at 5 % calls them different. Prints tables in Markdown.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jiwer
import numpy as np
from scipy.special import ndtr

from linnet import data
from linnet.evidence.comparisons import matched_pairs
from linnet.language import metrics

RUNS, SENTENCES, WORDS = 1000, 200, 8


def heard(text: str, rng: np.random.Generator, words: list[str]) -> str:
    """The text as a recognizer might answer it."""
    kept = []
    for word in text.split():
        fate = rng.uniform()
        kept += [] if fate < 0.05 else [str(rng.choice(words))] if fate < 0.15 else [word] * (1 + (fate > 0.97))
    return " ".join(kept)


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    return call(), time.process_time() - start


def rates() -> None:
    expected = [str(text) for text in data.load("speechocean762").where(split="test").values("text")]
    words, rng = sorted({word for text in expected for word in text.split()}), np.random.default_rng(0)
    answers = [heard(text, rng, words) for text in expected]
    ours, seconds = timed(lambda: metrics.error_rates(answers, expected))
    theirs, their_seconds = timed(lambda: jiwer.process_words(expected, answers))
    letters, letter_seconds = timed(lambda: metrics.error_rates(answers, expected, unit="character"))
    their_letters, their_letter_seconds = timed(lambda: jiwer.cer(expected, answers))
    print(f"{len(expected):,} utterances, {int(ours.units.sum()):,} words\n")
    print("| | word error rate | right | substituted | left out | put in | CPU s | character error rate | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    counts = [ours.total(kind) for kind in ("right", "substitution", "deletion", "insertion")]
    print(f"| Linnet | {ours.rate:.5f} | {' | '.join(f'{count:,}' for count in counts)} | {seconds:.2f} | "
          f"{letters.rate:.5f} | {letter_seconds:.2f} |")
    their_counts = (theirs.hits, theirs.substitutions, theirs.deletions, theirs.insertions)
    print(f"| jiwer {version('jiwer')} | {theirs.wer:.5f} | "
          f"{' | '.join(f'{count:,}' for count in their_counts)} | {their_seconds:.2f} | {their_letters:.5f} | "
          f"{their_letter_seconds:.2f} |\n")


def equal_recognizers() -> None:
    rng, words = np.random.default_rng(1), np.full(SENTENCES, WORDS)
    found = {"words as if independent (two proportions)": 0, "matched pairs, z": 0, "matched pairs, sign flips": 0}
    for _ in range(RUNS):
        own = rng.beta(0.4, 1.6, (2, SENTENCES))  # each has sentences of its own that it gets wholly wrong
        first, second = rng.binomial(WORDS, 0.5 * own + 0.5 * rng.beta(0.4, 1.6, SENTENCES))
        total, share = SENTENCES * WORDS, (first.sum() + second.sum()) / (2 * SENTENCES * WORDS)
        z = (first.sum() - second.sum()) / total / math.sqrt(2 * share * (1 - share) / total)
        pairs = matched_pairs(first, second, words)
        for name, p in zip(found, (2 * ndtr(-abs(z)), pairs.p_value, pairs.sign_flip_p_value), strict=True):
            found[name] += p <= 0.05
    print(f"{RUNS} pairs of equally good recognizers, {SENTENCES} sentences of {WORDS} words\n")
    print("| test at 5 % | called different |\n|---|---|")
    for name, count in found.items():
        error = 1.96 * math.sqrt(count / RUNS * (1 - count / RUNS) / RUNS)
        print(f"| {name} | {count / RUNS:.3f} ± {error:.3f} |")


if __name__ == "__main__":
    rates()
    equal_recognizers()
