"""Every family as a float file and as an int8 file: size, latency, and what onnxruntime runs in 8 bits.

    .venv/bin/python bench/precision.py [family ...] [--seconds 1]

Weights are fresh and inputs made up: size, time and precision do not depend on them. The files of a family take turns.
Sounds last one second at 16 kHz; transcripts are for sounds of any length; texts have 20 of 3,000 tokens.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from linnet import export, nn, runtime
from linnet.export.samples import made_up
from linnet.runtime.artifact import read
from linnet.runtime.card import read_card

TOKENIZER = SimpleNamespace(size=3000)
WINDOW, IMAGE, TEXT = {"audio": ("float32", (16_000,))}, {"image": ("uint8", (32, 32, 3))}, {"tokens": ("int64", (20,))}
SOUND = {"audio": ("float32", (None,)), "lengths": ("int64", ())}
LABEL, TAGS, TRANSCRIPT = ("logits", (10,)), ("logits", (20, 40)), ("logits", (None, 40))
ASKED: dict[str, list[tuple[str, Mapping[str, Any], Any]]] = {
    "mlp": [("label", {"features": ("float32", (10,))}, LABEL)],
    **{family: [("label", TEXT, LABEL), ("tags", TEXT, TAGS)] for family in ("textcnn", "transformer", "gru")},
    **{family: [("label", IMAGE, LABEL)] for family in ("smallcnn", "resnet", "mobilenet", "vit")},
    **{family: [("label", WINDOW, LABEL)] for family in ("dscnn", "bcresnet")},
    **{family: [("label", WINDOW, LABEL), ("transcript", SOUND, TRANSCRIPT)] for family in ("crnn", "conformer")}}


@dataclass(frozen=True)
class Asked:
    """As much of a task as a family and an export look at."""

    arrays: Mapping[str, Any]
    output: Any
    kind: str = "classify"
    tokenizer: Any = None
    sample_rate_hz: int = 16_000
    labels: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Nothing that could be read back: these files are only measured."""
        return {"kind": self.kind}


def main() -> None:
    """Export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", default=list(ASKED))
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    print("| family | answer | parameters | float KB | int8 KB | float ms | int8 ms | ratio | in int8 |")
    print("|---" * 9 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for family, answer, arrays, output in ((name, *case) for name in given.families for case in ASKED[name]):
            task: Any = Asked(arrays, output, tokenizer=TOKENIZER if "tokens" in arrays else None)
            model = nn.FAMILIES[family](task)
            narrow = replace(model, encoding=nn.Encoding(bits=8), calibration=made_up(model.spec))
            files = [export.write(which, task, Path(folder) / f"{name}.onnx")
                     for name, which in (("float", model), ("int8", narrow))]
            wide, small = runtime.bench_many(files, seconds=given.seconds)
            found = read_card(read(files[1])).realised
            assert found is not None
            operators = ", ".join(f"{count} {name}" for name, count in found.int8.items())
            print(f"| {family} | {answer} | {model.parameters_count:,} | {wide.size_bytes / 1e3:.0f} | "
                  f"{small.size_bytes / 1e3:.0f} | {wide.p50_ms:.3f} | {small.p50_ms:.3f} | "
                  f"{small.p50_ms / wide.p50_ms:.2f} | {operators} |", flush=True)


if __name__ == "__main__":
    main()
