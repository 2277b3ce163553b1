"""Run a shipped file: read it, ask it, measure it, and derive its claims again.

Knows ONNX as bytes and engines as adapters; knows no network, and how a file was made only from its card.
"""

from linnet.runtime.artifact import Artifact, read, with_metadata
from linnet.runtime.bench import bench, bench_engines, bench_many
from linnet.runtime.card import ArraySpec, Card, Parity, Realised, read_card
from linnet.runtime.claims import SealedClaim, read_claims
from linnet.runtime.compare import Comparison, Side, compare
from linnet.runtime.engines import ENGINES
from linnet.runtime.measured import Bench, fastest
from linnet.runtime.rows import rows
from linnet.runtime.shipped import Shipped, load
from linnet.runtime.stream import Stream
from linnet.runtime.verify import Result, Verification, verify

__all__ = [
    "ENGINES", "ArraySpec", "Artifact", "Bench", "Card", "Comparison", "Parity", "Realised", "Result", "SealedClaim",
    "Shipped", "Side", "Stream", "Verification", "bench", "bench_engines", "bench_many", "compare",
    "fastest", "load", "read", "read_card", "read_claims", "rows", "verify", "with_metadata",
]
