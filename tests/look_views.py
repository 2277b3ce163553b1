"""Views for the tests of the explorer: tones, squares and texts with hostile names, and many points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from linnet import data
from linnet.data.media import encode
from linnet.introspect import Finding, Findings
from linnet.report.look import Trait, View, category, number, traits_of

HOSTILE = "</script><img src=x onerror=alert(1)>"


def mixed(rows: int = 60, *, points: bool = True, explain: Any = None) -> View:
    """Sounds, images and texts; `rows` samples in three groups; one id and one text try to be HTML."""
    rng = np.random.default_rng(0)
    sides = [("left", "middle", "right")[at % 3] for at in range(rows)]
    ids = [f"s{at}" for at in range(rows - 1)] + [HOSTILE]
    texts = [f"text number {at} of {side}" for at, side in enumerate(sides[:-1])] + [HOSTILE]
    sounds = [encode(data.Audio(rng.normal(0, 0.1, 800).astype(np.float32).clip(-1, 1), 8000)) for _ in range(rows)]
    images = [encode(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)) for _ in range(rows)]
    table = pa.table({"id": ids, "text": texts, "side": sides, "sound": data.media_cells(sounds),
                      "image": data.media_cells(images), "size": rng.uniform(0, 1, rows)})
    dataset = data.Dataset("mixed", table, {
        "text": data.TextColumn(), "side": data.LabelColumn(("left", "middle", "right")), "sound": data.AudioColumn(),
        "image": data.ImageColumn(), "size": data.ValueColumn()})
    answers = ["right" if at in (0, 3) else side for at, side in enumerate(sides)]
    right = ["right" if answer == side else "wrong" for answer, side in zip(answers, sides, strict=True)]
    traits = [category("side", sides, order=("left", "middle", "right")), category("answer", answers),
              category("right", right, order=("right", "wrong")), number("confidence", rng.uniform(0.5, 1, rows)),
              *traits_of(dataset)[1:]]
    centre = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]])[[at % 3 for at in range(rows)]]
    return View("mixed & <b>bold</b>", "Sixty samples.", dataset,
                centre + rng.normal(0, 0.3, (rows, 2)) if points else None, traits, findings(), ("A note.",), explain,
                target="side")


def findings() -> tuple[Findings, ...]:
    """One confusion, a pair of copies, a layer, and a kind that nobody knows."""
    return (Findings("confusions", (Finding("left -> right", "left was answered as right 2 times of 20.",
                                            {"target": "left", "answer": "right", "count": 2}),)),
            Findings("near_duplicates", (Finding("s4 & s7", "s4 and s7 are nearly the same.", {"distance": 0.01}),)),
            Findings("redundancy", (Finding("block1", "Layer block1 has 8 units.", {"units": 8}),)),
            Findings("looked in vain", (), {"rate": 0.05, "samples": 60}))


def many(rows: int) -> View:
    """So many points in twelve groups, with nothing but a number each."""
    rng = np.random.default_rng(0)
    of = rng.integers(12, size=rows)
    points = rng.normal(0, 4, (12, 2))[of] + rng.normal(size=(rows, 2))
    table = pa.table({"id": [str(at) for at in range(rows)], "value": rng.uniform(size=rows)})
    dataset = data.Dataset("many", table, {"value": data.ValueColumn()})
    group = Trait("group", of.astype(np.uint32), tuple(f"group {at}" for at in range(12)))
    return View("many", f"{rows:,} points.", dataset, points, [group, *traits_of(dataset)])
