"""What goes into a model, whatever is asked about it: recordings, images, texts and rows, as arrays.

Knows columns and arrays; knows no target, no answer and no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.tasks.inputs.audio import AudioSequence, AudioWindow
from linnet.tasks.inputs.image import Images
from linnet.tasks.inputs.source import Input, Options, parts_of
from linnet.tasks.inputs.table import Category, Features, Number
from linnet.tasks.inputs.text import RawText, Tokens

INPUTS: dict[str, Any] = {kind.kind: kind for kind in (AudioWindow, AudioSequence, Images, Tokens, RawText, Features)}


def choose(parts: Sequence[Dataset], columns: str | Sequence[str], options: Mapping[str, Any], *,
           whole: bool = False) -> Input:
    """What goes in, by the kind of the column: sounds, images, texts; else rows of a table.

    `whole`: nothing may be cut off, since the answer speaks of every part of the sample.
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    if not names or len(set(names)) < len(names):
        raise LinnetError(f"input names at least one column, and none twice; got {names}.")
    kinds = [parts[0].column(name).kind for name in names]
    given = {name: value for name, value in options.items() if value is not None or name == "tokenizer"}
    made: Any = {"audio": AudioSequence if whole else AudioWindow, "image": Images, "text": Tokens}.get(kinds[0])
    if made is None:
        _check(Features, given, kinds)
        return Features.choose(parts, names)
    if len(names) > 1:
        raise LinnetError(f"a column of {kinds[0]} goes in alone; got {', '.join(names)}.")
    if made is Tokens and "tokenizer" in given and given["tokenizer"] is None:
        _check(RawText, given, kinds)
        return RawText(names[0])
    _check(made, given, kinds)
    chosen: Input = made.choose(parts, names[0], **given, **({"whole": whole} if made is Tokens else {}))
    return chosen


def _check(made: Any, given: Mapping[str, Any], kinds: Sequence[str]) -> None:
    for name in given:
        if name not in made.takes:
            raise unknown(f"option for an input of {kinds[0]}", name, made.takes)


def from_json(value: Mapping[str, Any]) -> Input:
    """The input that wrote `value` with `to_json`."""
    kind = str(value["kind"])
    if kind not in INPUTS:
        raise unknown("kind of input", kind, INPUTS)
    made: Input = INPUTS[kind].from_json(value)
    return made


__all__ = ["INPUTS", "AudioSequence", "AudioWindow", "Category", "Features", "Images", "Input", "Number", "Options",
           "RawText", "Tokens", "choose", "from_json", "parts_of"]
