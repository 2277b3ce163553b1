"""Confusions: which answer is given where another was right."""

from __future__ import annotations

import math
from collections import Counter

from linnet.evidence import Scores
from linnet.evidence.intervals import binomial
from linnet.introspect.findings import Finding, Findings

_LEVEL = 0.95


def confusions(scores: Scores) -> Findings:
    """Findings of kind "confusions", one a pair of target and wrong answer that occurred, the most frequent first.

    `rate` is `count` among the `of` samples of that target, `interval` its exact 95 % interval. Each interval is right
    for a pair named beforehand; the top of a sorted list looks worse than it is.
    """
    pairs = Counter((target, answer) for target, answer in zip(scores.targets, scores.answers, strict=True)
                    if target != answer)
    totals = Counter(scores.targets)
    ordered = sorted(pairs.items(), key=lambda item: (-item[1], -item[1] / totals[item[0][0]], item[0]))
    return Findings("confusions", tuple(_pair(*pair, count, totals[pair[0]]) for pair, count in ordered),
                    {"samples": len(scores), "wrong": sum(pairs.values()), "level": _LEVEL})


def _pair(target: str, answer: str, count: int, total: int) -> Finding:
    low, high = binomial(count, total, _LEVEL)
    return Finding(f"{target} -> {answer}", f"{target} was answered as {answer} in {count} of {total} "
                   f"(95 % sure of {math.floor(1000 * low) / 10} to {math.ceil(1000 * high) / 10} in 100).",
                   {"target": target, "answer": answer, "count": count, "of": total, "rate": count / total,
                    "interval": [low, high]})
