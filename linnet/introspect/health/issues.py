"""What is wrong with single samples, by rules that are told: each issue is the rows that it holds for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.introspect.health.measures import Floats, Measures
from linnet.introspect.health.numbers import fences

Mask = NDArray[np.bool_]
_SILENT_DBFS, _CUT_DB, _GAP_SECONDS, _OFFSET, _NARROW, _FLAT_TOPS = -70.0, -20.0, 0.02, 0.1, 0.85, 2
_BLANK, _HALF, _GREY = 0.01, 0.5, 0.01
_A_SCALE = 20  # so few different numbers are marks, of which none is far out


@dataclass(frozen=True)
class Issue:
    """Something that is odd about the rows of `rows`; `words` go on after "3 of 100 "."""

    column: str
    name: str
    words: str
    rows: Mask
    measure: str | None = None

    @property
    def subject(self) -> str:
        """"audio: clipped"."""
        return f"{self.column}: {self.name}"


@dataclass(frozen=True)
class _Rule:
    name: str
    measure: str
    is_so: Callable[[Floats], Mask]
    words: str


RULES = (
    _Rule("silent", "loudness", lambda v: v <= _SILENT_DBFS,
          "recordings are silent (under -70 dBFS)"),
    _Rule("clipped", "flat_tops", lambda v: v >= _FLAT_TOPS,
          "recordings are clipped (at least two crests are cut flat)"),
    _Rule("gap", "gap", lambda v: v >= _GAP_SECONDS,
          "recordings stand still for 20 ms or more inside of the sound (a dropout, or silence put in)"),
    _Rule("offset", "offset", lambda v: v >= _OFFSET,
          "recordings do not swing around zero (a DC offset of a tenth of their strength or more)"),
    _Rule("narrow", "bandwidth", lambda v: v <= _NARROW,
          "recordings have nothing in the upper part of the band that their sample rate allows (upsampled, or cut by a "
          "codec)"),
    _Rule("cut beginning", "start", lambda v: v >= _CUT_DB,
          "recordings begin in the midst of sound (their first 10 ms have a tenth of the loudest amplitude or more)"),
    _Rule("cut end", "end", lambda v: v >= _CUT_DB,
          "recordings end in the midst of sound (their last 10 ms have a tenth of the loudest amplitude or more)"),
    _Rule("blank", "contrast", lambda v: v < _BLANK, "images are blank (hardly any pixel differs from the others)"),
    _Rule("dark", "dark", lambda v: v > _HALF, "images are black in more than half of their pixels"),
    _Rule("bright", "bright", lambda v: v > _HALF, "images are white in more than half of their pixels"),
    _Rule("odd characters", "odd", lambda v: v > 0,
          "texts hold control or invisible characters, or what is left of a wrong decoding"),
    _Rule("no letters", "letters", lambda v: v == 0, "texts hold no letter"),
)
"""Rules with a threshold, for measures of sounds, images and texts."""

FAR = {"seconds": True, "loudness": False, "brightness": False, "sharpness": True, "width": True, "height": True,
       "characters": True, "items": False}
"""Measures of which numbers far from all others are said; true where it is the ratio that counts."""


def issues(found: Measures) -> list[Issue]:
    """Every issue that holds for at least one row, the gravest first."""
    every = [*_unreadable(found), *_ruled(found), *_grey(found), *_other_forms(found), *_far(found)]
    return [issue for issue in every if issue.rows.any()]


def _unreadable(found: Measures) -> Iterator[Issue]:
    for column in found.forms:
        bad = {one.sample for one in found.broken if one.column == column}
        yield Issue(column, "broken", "files cannot be read", np.array([name in bad for name in found.ids]))


def _ruled(found: Measures) -> Iterator[Issue]:
    for rule in RULES:
        for column in found.forms:
            values = found.numbers.get(f"{column}.{rule.measure}")
            if values is not None:
                yield Issue(column, rule.name, rule.words, rule.is_so(values), f"{column}.{rule.measure}")


def _grey(found: Measures) -> Iterator[Issue]:
    """Stored with three channels, of which the one says what the others say."""
    for column, forms in found.forms.items():
        if (colour := found.numbers.get(f"{column}.colour")) is not None:
            has_colour = np.array([form.rpartition(" ")[2] not in ("1", "L", "LA", "La", "I;16") for form in forms])
            is_blank = found.numbers[f"{column}.contrast"] < _BLANK
            yield Issue(column, "grey", "images are stored with colours and have none",
                        (colour < _GREY) & has_colour & ~is_blank, f"{column}.colour")


def _other_forms(found: Measures) -> Iterator[Issue]:
    for column, forms in found.forms.items():
        counts = Counter(form for form in forms if form not in ("", "none"))
        if len(counts) > 1:
            usual, others = counts.most_common(1)[0][0], ", ".join(sorted(counts)[:6])
            words = f"are not as most are ({usual}); there are {others}{' and more' if len(counts) > 6 else ''}"
            yield Issue(column, "other form", words, np.array([form not in (usual, "", "none") for form in forms]))


def _far(found: Measures) -> Iterator[Issue]:
    for name, values in found.numbers.items():
        column, _, measure = name.rpartition(".")
        if column in found.forms or measure == "items":
            if measure not in FAR:
                continue
        else:
            column, measure = name, "value"
        if measure == "value" and len(np.unique(values)) <= _A_SCALE:
            continue
        is_far = far_out(values, by_ratio=FAR.get(measure, False))
        yield Issue(column, f"far {measure}", f"lie far from all others in {measure} (beyond three quartile ranges)",
                    is_far, name)


def far_out(values: Floats, *, by_ratio: bool) -> Mask:
    """Which numbers lie beyond the outer fences; none where half of them are equal."""
    scaled = np.log(np.maximum(values, 1e-9)) if by_ratio else values
    there = scaled[np.isfinite(scaled)]
    below, above = fences(there) if len(there) else (0.0, 0.0)
    return np.asarray((scaled < below) | (scaled > above)) if above > below else np.zeros(len(values), bool)
