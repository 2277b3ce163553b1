"""The explorer as one page; a saved one carries the media of its samples in itself, up to a limit."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from linnet import __version__
from linnet.files import replacing
from linnet.progress import Progress
from linnet.report.look.linking import samples_of
from linnet.report.look.packing import packed, script_safe
from linnet.report.look.sample import embedded
from linnet.report.look.view import View
from linnet.report.markup import safe

LIMIT = 1000
"""So many samples carry their media in a saved page, unless said otherwise."""
LIMIT_BYTES = 48_000_000
EXPLAINED = 100
"""So many of them carry what their answer hangs on: it takes a fifth of a second each."""


def html(view: View, *, served: bool = False, samples: Mapping[int, Mapping[str, Any]] | None = None) -> str:
    """The whole page as text. Nothing in it may be loaded from elsewhere: its policy names its own script and style."""
    script, style = _text("look.js"), _text("look.css")
    return Template(_text("look.html")).substitute(
        title=safe(f"{view.title}: Linnet"), policy=safe(policy(served=served)), style=style, script=script,
        version=safe(__version__), data=script_safe(packed(view, served=served, samples=samples)))


def write(view: View, path: str | Path, *, limit: int = LIMIT, progress: Progress | None = None) -> tuple[Path, str]:
    """Save the page beside, then rename. Returns its path and a sentence on what it carries.

    Up to `limit` samples keep their picture, sound or text: those of findings first, then wrong answers, then by
    chance; all of it at most 48 MB.
    """
    samples, size = embedded(view, first(view, limit), (LIMIT_BYTES, EXPLAINED), progress)
    rows = len(view.dataset)
    sentence = (f"{len(samples):,} of {rows:,} samples carry what they hold ({size / 1e6:.1f} MB); the others show "
                "their columns only. linnet look without --save shows all." if len(samples) < rows
                else f"All {rows:,} samples carry what they hold ({size / 1e6:.1f} MB).")
    if view.explain is not None and len(samples) > EXPLAINED:
        sentence += f" What an answer hangs on is kept for {EXPLAINED} of them."
    path = Path(path)
    with replacing(path) as partial:
        noted = View(**{**vars(view), "notes": (*view.notes, sentence)})
        partial.write_text(html(noted, samples=samples), encoding="utf-8")
    return path, sentence


def policy(*, served: bool) -> str:
    """The content security policy: this script, this style, pictures and sounds that the page carries, no more."""
    connect = "'self'" if served else "'none'"
    return (f"default-src 'none'; script-src {_digest('look.js')}; style-src {_digest('look.css')}; "
            f"img-src data:; media-src data:; connect-src {connect}; base-uri 'none'; form-action 'none'")


def first(view: View, limit: int, seed: int = 0) -> list[int]:
    """Positions of up to `limit` samples: of findings in turn, then of wrong answers, then by chance."""
    places = {name: at for at, name in enumerate(view.dataset.ids)}
    found = [samples_of(item, places, view) for one in view.findings for item in one.items]
    turns = [int(one[turn]) for turn in range(max(map(len, found), default=0)) for one in found if turn < len(one)]
    wrong = [int(at) for trait in view.traits if trait.name == "right" and trait.names
             for at in np.flatnonzero(trait.values == trait.names.index("wrong"))] if _judges(view) else []
    others = random.Random(seed).sample(range(len(view.dataset)), len(view.dataset))  # noqa: S311 no secret
    return list(dict.fromkeys([*turns, *wrong, *others]))[:limit]


def _judges(view: View) -> bool:
    return any(trait.name == "right" and "wrong" in (trait.names or ()) for trait in view.traits)


def _text(name: str) -> str:
    return resources.files("linnet.report.look").joinpath(name).read_text(encoding="utf-8")


def _digest(name: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(_text(name).encode()).digest()).decode()}'"
