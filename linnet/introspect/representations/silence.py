"""Inactive units: those that answer nothing at all, or almost never."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.representations.chunks import Responses, checked_shape, chunks_of

_ROWS = 1024


def inactive(responses: Responses, *, share: float = 0.99) -> Findings:
    """Findings of kind "inactive", one a layer with units that are zero for at least `share` of the samples.

    The layers with the largest part of such units come first. `never` are zero always, `rarely` almost always;
    `mean_inactive` says how many units are zero for one sample on average, and `silent_share` how often each unit is.
    Zero is what is no further from it than 1e-8: what a ReLU gives. A unit that is stuck at another value is seen by
    `redundancy`. Responses may come in chunks (`Responses`); NaN and infinity are counted and said, not zero.

    Inactive Unit Analysis as in DNIKit. Raises LinnetError for a share outside (0, 1] and shapes that are no
    (samples, units).
    """
    if not 0 < share <= 1:
        raise LinnetError(f"share is the part of the samples for which a unit is zero, above 0 and at most 1; "
                          f"got {share!r}.")
    seen: dict[str, _Counts] = {}
    for chunk in chunks_of(responses):
        for layer, values in chunk.items():
            checked_shape(layer, values)
            if np.asarray(values).dtype.kind not in "fiubO":
                raise LinnetError(f"the responses of layer '{layer}' must be numbers; got {np.asarray(values).dtype}.")
            seen.setdefault(layer, _Counts()).update(np.asarray(values))
    if empty := [layer for layer, counts in seen.items() if not counts.count]:
        raise LinnetError(f"the responses of layer '{empty[0]}' hold no sample; at least one is needed.")
    found = [_layer(layer, counts, share) for layer, counts in seen.items()]
    items = sorted((one for one in found if one.evidence["rarely"] or one.evidence["never"]),
                   key=lambda one: -(len(one.evidence["rarely"]) + len(one.evidence["never"])) / one.evidence["units"])
    return Findings("inactive", tuple(items), {
        "share": share, "samples": max(counts.count for counts in seen.values()),
        "mean_inactive": {one.subject: one.evidence["mean_inactive"] for one in found},
        "broken": {layer: counts.broken.tolist() for layer, counts in seen.items() if len(counts.broken)}})


@dataclass
class _Counts:
    """How often each unit was zero, and how many of them at once."""

    count: int = 0
    zero: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    squares: float = 0.0

    @property
    def broken(self) -> NDArray[np.int64]:
        """Units that were NaN or infinite at least once."""
        return np.flatnonzero(~np.isfinite(self.sums))

    def update(self, values: NDArray[Any]) -> None:
        if self.count and values.shape[1] != len(self.zero):
            raise LinnetError(f"a layer had {len(self.zero)} units so far; got {values.shape[1]}.")
        for start in range(0, len(values), _ROWS):
            rows = values[start : start + _ROWS]
            rows = rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)
            with np.errstate(invalid="ignore", over="ignore"):
                self.sums = self.sums + np.ones(len(rows), rows.dtype) @ rows
            is_zero = (np.abs(rows) <= 1e-8).astype(np.float32)
            self.zero = self.zero + np.ones(len(rows), np.float32) @ is_zero
            self.squares += float(np.square(is_zero @ np.ones(rows.shape[1], np.float32), dtype=np.float64).sum())
            self.count += len(rows)


def _layer(layer: str, counts: _Counts, share: float) -> Finding:
    silent = counts.zero / max(counts.count, 1)
    never = np.flatnonzero(silent == 1).tolist()
    rarely = np.flatnonzero((silent >= share) & (silent < 1)).tolist()
    mean = float(silent.sum())
    spread = float(np.sqrt(max(counts.squares / max(counts.count, 1) - mean**2, 0.0)))
    words = f"{len(never)} never answer" + (f" and {len(rarely)} almost never do" if rarely else "")
    return Finding(layer, f"Of the {len(silent)} units of layer {layer} {words}; {mean:.1f} are silent for an average "
                   "sample.", {"units": len(silent), "never": never, "rarely": rarely, "mean_inactive": mean,
                               "sd_inactive": spread, "silent_share": silent.tolist()})
