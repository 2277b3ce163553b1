"""Why an utterance is turned down: it was not heard, not known, or known in two ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from linnet.errors import LinnetError

Why = Literal["acoustic", "lexical", "ambiguous"]


@dataclass(frozen=True)
class Thresholds:
    """Below `heard` the recording was not understood, below `known` its text is none that the model knows, and below
    `apart` the second intent is too near to the first. Each is chosen on validation, from costs or certified."""

    heard: float = 0.3
    known: float = 0.5
    apart: float = 0.1

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise LinnetError(f"{name} is a number from 0 to 1; got {value!r}.")


@dataclass(frozen=True)
class Reason:
    """`why` is None where the intent is answered; `intents` are those between which somebody could be asked."""

    why: Why | None
    intents: tuple[str, ...]


def reasons(probabilities: Mapping[str, float], *, heard: float | None = None, text: str = "",
            reject: str | None = None, thresholds: Thresholds | None = None) -> Reason:
    """Answer, or turn down as acoustic, ambiguous or lexical, which ask for different words of the bot.

    "acoustic": nothing was heard, or the recognizer's confidence `heard` is low: ask to repeat. "ambiguous": two
    intents together are likely enough and neither is far before the other: ask which one. "lexical": heard, but none of
    the intents (`reject` among `probabilities` is none): say what can be asked. Without `heard` the text is believed.

    >>> reasons({"pay": 0.46, "balance": 0.44, "oos": 0.1}, text="my bill", reject="oos")
    Reason(why='ambiguous', intents=('pay', 'balance'))
    """
    if not probabilities:
        raise LinnetError("there are no probabilities: give each intent's.")
    limits = thresholds or Thresholds()
    ranked = sorted(((value, name) for name, value in probabilities.items() if name != reject), reverse=True)
    first, second = ranked[0], ranked[1] if len(ranked) > 1 else (0.0, "")
    if not text.strip() or (heard is not None and heard < limits.heard):
        return Reason("acoustic", ())
    if first[0] - second[0] < limits.apart and first[0] + second[0] >= limits.known:
        return Reason("ambiguous", (first[1], second[1]))
    return Reason(None, (first[1],)) if first[0] >= limits.known else Reason("lexical", ())
