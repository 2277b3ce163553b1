"""Protect: what sensitivity saw becomes layers that stay in float, or that keep more bits."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping

from linnet.errors import LinnetError
from linnet.introspect import Findings
from linnet.shrink.plan import Plan

_METHODS = {"round": ("qat", "int8"), "palettize": ("palettize",)}
"""By the way in which bits were taken when sensitivity was measured: the methods that do so."""


def protect(plan: Plan, findings: Findings, *, sqnr_db: float = 25.0) -> Plan:
    """The plan whose outputs are predicted to keep `sqnr_db` of signal to noise before any tuning.

    int8 gets layers to `exclude`; qat and palettize get `own_bits`, as few as do. The prediction adds up the noises of
    single layers. Raises LinnetError where the plan has no method that `findings` speak of, or none can reach so much.
    """
    how = _how(findings)
    names = [name for name in _METHODS[how] if name in plan.methods]
    if not names:
        raise LinnetError("the plan has nothing to protect: these findings speak of "
                          f"{' and '.join(_METHODS[how])}, the plan names {', '.join(plan.methods) or 'no method'}.")
    for name in names:
        settings = dict(plan.methods[name])
        if name == "int8":
            settings["exclude"] = [*settings.get("exclude", []), *exclusions(findings, sqnr_db=sqnr_db)]
        else:
            settings["own_bits"] = {**bits_by_layer(findings, sqnr_db=sqnr_db), **settings.get("own_bits", {})}
        plan = plan.plus(name, **settings)
    return plan


def exclusions(findings: Findings, *, sqnr_db: float = 25.0, bits: int = 8) -> list[str]:
    """The fewest layers that must stay in float for all others in `bits` to keep `sqnr_db`, the worst first."""
    noises = sorted(((_noise(findings, item.subject, bits), item.subject) for item in findings), reverse=True)
    left, budget, out = sum(noise for noise, _ in noises), _budget(sqnr_db), list[str]()
    for noise, layer in noises:
        if left <= budget:
            break
        out.append(layer)
        left = left - noise if len(out) < len(noises) else 0.0
    if len(out) == len(noises):
        raise LinnetError(f"no layer can be in {bits} bits where {sqnr_db:g} dB are to be kept: the least sensitive "
                          f"one alone leaves {_decibels(noises[-1][0]):.1f}. Ask for less.")
    return out


def bits_by_layer(findings: Findings, *, sqnr_db: float = 25.0) -> dict[str, int]:
    """By layer the bits, of those that were measured, that together keep `sqnr_db` in little storage.

    From the fewest bits on, the layer goes up whose noise falls most for a stored bit more (the marginal analysis of
    Fox 1966, which is the best choice where every layer's noise falls less and less).
    """
    _how(findings)
    widths = {item.subject: sorted(map(int, item.evidence["damage"])) for item in findings}
    chosen = dict.fromkeys(widths, 0)
    total = sum(_noise(findings, layer, widths[layer][0]) for layer in widths)

    def entry(layer: str) -> tuple[float, str, int]:
        """What the best climb of this layer gains: negative, so that the best comes first; and where it leads."""
        here, own = chosen[layer], widths[layer]
        gains = [((_noise(findings, layer, own[to]) - _noise(findings, layer, own[here]))
                  / ((own[to] - own[here]) * findings[layer].evidence["weights"]), layer, to)
                 for to in range(here + 1, len(own))]
        return min(gains, default=(0.0, layer, here))

    queue = [entry(layer) for layer in widths]
    heapq.heapify(queue)
    while total > _budget(sqnr_db):
        gain, layer, to = heapq.heappop(queue) if queue else (0.0, "", 0)
        if gain >= 0:
            raise LinnetError(f"{sqnr_db:g} dB cannot be kept: with the most bits measured in every layer "
                              f"{_decibels(total):.1f} are left. Measure more bits, or ask for less.")
        before, chosen[layer] = widths[layer][chosen[layer]], to
        total += _noise(findings, layer, widths[layer][to]) - _noise(findings, layer, before)
        heapq.heappush(queue, entry(layer))
    return {layer: widths[layer][place] for layer, place in chosen.items()}


def predicted(findings: Findings, bits: Mapping[str, int]) -> float:
    """The signal to noise of the outputs in dB, with these layers in these bits and all others in float."""
    return _decibels(sum(_noise(findings, layer, width) for layer, width in bits.items()))


def _noise(findings: Findings, layer: str, bits: int) -> float:
    damage = findings[layer].evidence["damage"]
    if str(bits) not in damage:
        raise LinnetError(f"these findings were measured with {' and '.join(damage)} bits; none with {bits}.")
    return float(damage[str(bits)]["noise"])


def _how(findings: Findings) -> str:
    if findings.kind != "sensitivity" or not len(findings):
        raise LinnetError(f"protect needs findings of shrink.sensitivity; got {len(findings)} of kind "
                          f"'{findings.kind}'.")
    return str(findings.items[0].evidence["how"])


def _budget(sqnr_db: float) -> float:
    return float(10 ** (-sqnr_db / 10))


def _decibels(noise: float) -> float:
    return -10 * math.log10(max(noise, 1e-30))
