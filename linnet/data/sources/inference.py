"""What the columns of a plain table hold: as it was said, or else by their names and values."""

from __future__ import annotations

import logging
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, cast

from linnet.data.cells import cells_of, made_column
from linnet.data.columns import Column, Kind, LabelColumn, sorted_labels
from linnet.errors import LinnetError, unknown

_GROUPS = ("speaker", "speaker_id", "writer", "client_id", "group", "session", "device", "split")
_LABELS = ("label", "class", "target", "word", "digit", "intent")
_TEXTS = ("text", "sentence", "transcript", "transcription", "document", "question", "review", "prompt")
_SEQUENCES = ("phones", "phonemes", "words", "tokens", "characters")
_SPAN_LABELS = ("label", "slot", "type", "entity", "tag")
KINDS = ("text", "label", "ordinal", "labels", "sequence", "spans", "group", "value", "skip")
"""What `columns` may say of a column; "spans of said" names the text, and a list of labels a scale, least first."""
_OF = " of "
_LARGEST = 1 << 63
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_MISSING = ("nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity")
"""What programs write among numbers where there is none."""
_CODE = re.compile(r"[+-]?0[0-9]|.*_")
_log = logging.getLogger("linnet")


def columns_of(raw: Mapping[str, Sequence[Any]], given: Mapping[str, Any],
               where: str) -> tuple[dict[str, Column], dict[str, Any]]:
    """The columns of raw cells (strings, numbers, lists), and their Arrow arrays.

    `given` says what some of them hold (see KINDS). For the others: speaker, writer, session, device, group and split
    are groups; label, class, target, word, digit and intent labels; text, sentence, transcript, document and the like
    texts; what holds nothing but numbers values; lists of strings are sequences where one comes twice in a row, else
    labels; lists of stretches spans; strings that repeat labels; and of those that hardly repeat, sentences are texts
    and single words groups. Raises LinnetError for empty cells, for "nan" and the like among numbers, and for what the
    kind cannot hold.
    """
    for name, kind in given.items():
        if name not in raw:
            raise unknown("column", name, raw)
        if not isinstance(kind, list | tuple) and kind not in KINDS and not str(kind).startswith("spans" + _OF):
            raise unknown("kind of column", str(kind), KINDS)
    kept = {name: values for name, values in raw.items() if given.get(name) != "skip"}
    _refuse_holes(kept, where)
    _refuse_missing_numbers({name: values for name, values in kept.items() if name not in given}, where)
    kinds = {name: _kind(name, values, given.get(name)) for name, values in kept.items()}
    columns: dict[str, Column] = {}
    cells: dict[str, Any] = {}
    for name, values in kept.items():
        said = f"{where}: column '{name}'"
        if kinds[name] is None:
            raise LinnetError(f"{said} holds {_types(values)}, such as {_nested(values)!r:.60}; a cell is a string, a "
                              "number, or a list of strings or of stretches. Leave it out with "
                              f"{told(name, 'skip')}.")
        kind, plain = cast(Kind, kinds[name]), _plain(said, cast(str, kinds[name]), values)
        try:
            columns[name] = (_scale(given[name], plain) if isinstance(given.get(name), list | tuple)
                             else made_column(_plain_kind(kind), plain, ordered=kinds[name] == "ordinal",
                                              of=_marked(str(given.get(name, "")), kinds) if kind == "spans" else ""))
            cells[name] = cells_of(plain, _plain_kind(kind))
        except LinnetError as error:
            raise LinnetError(f"{said}, read as {kind}: {error} Or say what it holds with {told(name, 'KIND')}, KIND "
                              f"being one of {', '.join(KINDS)}.") from error
    _say_guesses(columns, given, where)
    return columns, cells


def number(value: Any) -> int | float | None:
    """A finite number, from itself or as it is written; None for anything else, and for codes such as "007".

    >>> number("3"), number("1e-3"), number("007"), number(True), number(2**63)
    (3, 0.001, None, None, None)
    """
    if isinstance(value, str):
        value = value.strip()
        is_whole = _WHOLE.fullmatch(value)
        value = None if _CODE.match(value) else int(value) if is_whole else _float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_LARGEST <= value < _LARGEST else None
    return value if isinstance(value, float) and math.isfinite(value) else None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _kind(name: str, values: Sequence[Any], given: Any) -> str | None:
    if given is not None:
        return "label" if isinstance(given, list | tuple) else str(given).split(_OF)[0]
    if all(isinstance(value, list) for value in values):
        return _list_kind(name, values)
    if any(isinstance(value, list | dict) for value in values):
        return None
    by_name = next((kind for kind, names in (("group", _GROUPS), ("label", _LABELS)) if name.lower() in names), None)
    if by_name is None and all(number(value) is not None for value in values):
        return "value"
    if by_name is None and all(isinstance(value, str) for value in values):
        return "text" if name.lower() in _TEXTS else _string_kind(values)
    return by_name or "label"


def _list_kind(name: str, values: Sequence[list[Any]]) -> str | None:
    flat = [element for value in values for element in value]
    if flat and all(isinstance(element, dict) and {"start", "end"} <= element.keys() for element in flat):
        return "spans"
    if not all(isinstance(element, str) for element in flat):
        return None
    is_sequence = name.lower() in _SEQUENCES or any(len(set(value)) < len(value) for value in values)
    return "sequence" if is_sequence else "labels"


def _string_kind(values: Sequence[str]) -> str:
    """Strings that mostly differ are no labels: they are texts, or (single words) what tells samples apart."""
    if len(set(values)) * 2 <= len(values):
        return "label"
    words = sum(len(value.split()) for value in values) / len(values)
    if words >= 4 or (words > 1.5 and len(values) >= 20):
        return "text"
    return "label" if len(values) < 20 else "group"


def _plain_kind(kind: str) -> Kind:
    return "label" if kind == "ordinal" else cast(Kind, kind)


def _plain(said: str, kind: str, values: Sequence[Any]) -> list[Any]:
    """The cells as that kind stores them."""
    if kind == "value":
        numbers = [number(value) for value in values]
        wrong = [value for value, found in zip(values, numbers, strict=True) if found is None]
        if wrong:
            raise LinnetError(f"{said} was asked for as value; {wrong[:5]} are no numbers.")
        return numbers
    if kind == "spans":
        return [[_span(said, element) for element in _listed(said, kind, value)] for value in values]
    if kind in ("labels", "sequence"):
        return [[_string(element) for element in _listed(said, kind, value)] for value in values]
    nested = _nested(values)
    if nested is not None:
        raise LinnetError(f"{said} was asked for as {kind}; it holds {_types(values)}, such as {nested!r:.60}.")
    return [_string(value) for value in values]


def _listed(said: str, kind: str, value: Any) -> list[Any]:
    """A list; a string with spaces, commas or semicolons between its elements is one too, as CSV knows no lists."""
    if isinstance(value, str):
        separator = next((sign for sign in (";", "|", ",") if sign in value), None)
        return [part.strip() for part in value.split(separator) if part.strip()]
    if not isinstance(value, list):
        raise LinnetError(f"{said} was asked for as {kind}; {value!r:.60} is no list.")
    return value


def _span(said: str, element: Any) -> dict[str, Any]:
    keys = [key for key in _SPAN_LABELS if isinstance(element, dict) and key in element]
    if len(keys) != 1 or not all(isinstance(element.get(end), int) for end in ("start", "end")):
        raise LinnetError(f"{said} was taken for stretches of a text; expected {{label, start, end}} (the label may be "
                          f"called {', '.join(_SPAN_LABELS[1:])}); got {element!r:.80}.")
    return {"label": _string(element[keys[0]]), "start": element["start"], "end": element["end"]}


def _string(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _marked(given: str, kinds: Mapping[str, str | None]) -> str:
    """The column that spans belong to: as it was said (a text, or "audio" for the recordings), or the only text."""
    texts = [name for name, kind in kinds.items() if kind == "text"]
    named = given.partition(_OF)[2]
    if named == "audio":
        return named
    if named and named not in texts:
        raise unknown("column of texts", named, texts)
    if not named and len(texts) != 1:
        raise LinnetError(f"it holds stretches of a text, and the table has {len(texts)} columns of texts"
                          f"{': ' + ', '.join(texts) if texts else ''}. Say which one: 'spans of NAME'.")
    return named or texts[0]


def _scale(given: Sequence[Any], values: Sequence[str]) -> LabelColumn:
    scale = tuple(_string(label) for label in given)
    sorted_labels(values)
    strange = sorted(set(values) - set(scale))
    if strange:
        raise LinnetError(f"holds {', '.join(strange[:10])}, which the scale ({', '.join(scale)}) does not name.")
    return LabelColumn(scale, ordered=True)


def _refuse_holes(raw: Mapping[str, Sequence[Any]], where: str) -> None:
    """One error for every column that has empty cells."""
    holes = {name: [row for row, value in enumerate(values, 1) if value is None or str(value).strip() == ""]
             for name, values in raw.items()}
    found = [f"column '{name}' is empty in {len(rows)} rows (rows {rows[:10]})" for name, rows in holes.items() if rows]
    if found:
        name = next(name for name, rows in holes.items() if rows)
        raise LinnetError(f"{where}: {'; '.join(found)}. Fill them in, or leave a column out with "
                          f"{told(name, 'skip')}.")


def told(name: str, kind: str) -> str:
    """How to say what a column holds, in Python and in the shell.

    >>> told("area", "skip")
    "columns={'area': 'skip'} (in the shell --columns area=skip)"
    """
    given = f"{name}={kind}"
    return f"columns={{{name!r}: {kind!r}}} (in the shell --columns {shlex.quote(given)})"


def _refuse_missing_numbers(raw: Mapping[str, Sequence[Any]], where: str) -> None:
    """One error for every column of numbers and "nan": it is neither a column of values nor one of labels."""
    found = {name: [row for row, value in enumerate(values, 1) if _is_missing(value)] for name, values in raw.items()}
    said = [f"column '{name}' holds numbers, and {raw[name][rows[0] - 1]!r} in {len(rows)} rows (rows {rows[:10]})"
            for name, rows in found.items()
            if rows and len(rows) < len(raw[name]) and all(number(value) is not None or _is_missing(value)
                                                           for value in raw[name])]
    if said:
        wrong = said[0].split("'")[1]
        raise LinnetError(f"{where}: {'; '.join(said)}. Fill them in, take these rows out, leave a column out (skip), "
                          f"or keep it as it stands with {told(wrong, 'label')}.")


def _is_missing(value: Any) -> bool:
    return str(value).strip().lower() in _MISSING if isinstance(value, str | float) else False


def _nested(values: Sequence[Any]) -> Any:
    return next((value for value in values if isinstance(value, list | dict)), None)


def _types(values: Sequence[Any]) -> str:
    nested = sorted({type(value).__name__ for value in values if isinstance(value, list | dict)})
    return " and ".join(f"{kind}s" for kind in nested) or "values"


def _say_guesses(columns: Mapping[str, Column], given: Mapping[str, Any], where: str) -> None:
    guessed = ", ".join(f"{name}: {column.kind}" for name, column in columns.items() if name not in given)
    if guessed:
        _log.info("%s: read as %s; columns={...} (in the shell --columns NAME=KIND) says otherwise", where, guessed)
