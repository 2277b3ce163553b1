"""Near duplicates: pairs of samples that are the same thing, or the same thing altered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from linnet.errors import LinnetError
from linnet.evidence.settings import check_seed, is_number
from linnet.introspect.duplicates.copies import verified
from linnet.introspect.duplicates.gaps import close_pairs
from linnet.introspect.duplicates.images import Images
from linnet.introspect.duplicates.items import Items, exact_keys, items_of, same_as
from linnet.introspect.duplicates.pairs import Pairs
from linnet.introspect.duplicates.sounds import Sounds
from linnet.introspect.duplicates.texts import Texts, plain
from linnet.introspect.findings import Finding, Findings
from linnet.progress import Progress

_KINDS = {"sounds": Sounds, "images": Images, "texts": Texts}
_ONE = {"vectors": "vector", "sounds": "recording", "images": "image", "texts": "text"}


def near_duplicates(given: Any, *, ids: Sequence[str] | None = None, column: str | None = None, rate: float = 0.02,
                    seed: int = 0, progress: Progress | None = None) -> Findings:
    """Findings of kind "near_duplicates", one a pair ("id & id"), what is exactly the same first, then the surest.

    `given` is an array of vectors (samples, numbers), a list of `Audio`, of images (height, width, channels) uint8 or
    of texts, or a Dataset, of which `column` is looked at (or else its first recordings, images or texts, or all its
    values). Sounds may differ by gain, shift, resampling and codec, images by a crop down to three quarters of a side,
    scale and encoding, texts by case, punctuation and small edits, vectors by noise that is small beside the distance
    of neighbours.

    `rate` is the largest share of false pairs to expect among those found; for vectors as far as their density changes
    little within ten neighbours. It is not for texts, where sentences that differ
    by a word are no rarity: there, edits of up to a tenth of the letters count, none of which makes another word or
    number; the facts count those that were set aside. Pairs are never chained: each was compared by itself. Where a
    thing is there n times exactly, its first is paired with each of the others, and stands for all of them.

    Raises LinnetError for what is none of these, for NaN, and for ids that do not fit.

    >>> print(*near_duplicates(["Turn it up!", "turn it up", "goodbye"]).subjects)
    0 & 1
    """
    items = items_of(given, ids, column)
    found = find_pairs(items, rate, seed, progress)
    named = [(items.ids[one], items.ids[other]) for one, other in found.rows]
    return Findings("near_duplicates", tuple(
        Finding(f"{one} & {other}", sentence(items.kind, one, other, evidence), {"ids": [one, other]} | evidence)
        for (one, other), evidence in zip(named, found.evidence, strict=True)), found.facts)


def find_pairs(items: Items, rate: float, seed: int, progress: Progress | None = None) -> Pairs:
    """Exact copies, then near ones among what is different."""
    check_seed(seed)
    if not is_number(rate) or not 0 < rate < 1:
        raise LinnetError(f"rate must lie between 0 and 1: the share of false pairs to expect at most; got {rate}.")
    exact = exact_keys(items)
    first = same_as([plain(text) for text in items.values] if items.kind == "texts" else exact)
    kept = np.flatnonzero(np.array(first) == np.arange(len(items)))
    copies = [(at, other) for other, at in enumerate(first) if at != other]
    found = _near(items, kept, rate, seed, progress)
    evidence = [{"similarity": 1.0, "exact": exact[one] == exact[other],
                 "likely": ["copy"] if exact[one] == exact[other] else ["case or punctuation"]}
                for one, other in copies]
    rows = np.array([*copies, *kept[found.rows].tolist()], np.int64).reshape(-1, 2)
    times = Counter(rows.ravel().tolist())
    facts = {"of": items.kind, "samples": len(items), "pairs": len(rows), "samples_in_pairs": len(times),
             "most_pairs_of_one": max(times.values(), default=0),
             "exact_copies": sum(exact[one] == exact[other] for one, other in copies),
             "different_samples": len(kept), "rate": rate, "seed": seed}
    odd = _odd(items)
    return Pairs(rows, evidence + [{"exact": False} | known for known in found.evidence], facts | found.facts | odd)


def sentence(kind: str, one: str, other: str, evidence: dict[str, Any]) -> str:
    """What was seen, for a reader who knows the samples and no mathematics."""
    if evidence["exact"]:
        return f"'{one}' and '{other}' are exactly the same {_ONE[kind]}."
    if kind == "vectors":
        return (f"'{one}' and '{other}' are nearly the same: they lie {evidence['of_the_usual_distance']:.2g} times as "
                "far apart as such samples do.")
    likely = " and ".join(evidence["likely"])
    return f"'{one}' and '{other}' are most likely the same {_ONE[kind]}; what differs: {likely}."


def _near(items: Items, kept: Any, rate: float, seed: int, progress: Progress | None) -> Pairs:
    if items.kind == "vectors":
        return close_pairs(items.values[kept], rate, seed, progress)
    return verified(_KINDS[items.kind]([items.values[at] for at in kept]), rate, seed, progress)


def _odd(items: Items) -> dict[str, Any]:
    """What could not take part."""
    if items.kind == "vectors" and len(items):
        constant = int((np.ptp(items.values, axis=0) == 0).sum())
        return {"constant_columns": constant} if constant else {}
    if items.kind == "sounds":
        silent = [name for name, sound in zip(items.ids, items.values, strict=True) if not sound.samples.any()]
        return {"silent": silent} if silent else {}
    flat = [name for name, image in zip(items.ids, items.values, strict=True)
            if items.kind == "images" and (image == image[:1, :1]).all()]
    return {"flat": flat} if flat else {}
