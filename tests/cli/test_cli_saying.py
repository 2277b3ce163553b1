"""Answers in one line, for people."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from linnet.cli.saying import said
from linnet.tasks import Answer

TEXT = "play blue in green"


@pytest.mark.parametrize(("kind", "answered", "shown"), [
    ("detect", [["speech", 320, 1480]], "speech (0.32 to 1.48 s)"),
    ("detect", [], "nothing"),
    ("understand", {"intent": "play", "slots": [["song", 5, 18]]}, "play: song 'blue in green' (5 to 18)"),
    ("understand", {"intent": "stop", "slots": []}, "stop"),
    ("tag", [["song", 5, 9]], "song 'blue' (5 to 9)"),
    ("tag", [], "no spans"),
    ("transcribe", ["B", "L", "UW"], "B L UW")])
def test_what_is_structured_is_told(kind: str, answered: Any, shown: str) -> None:
    assert said(SimpleNamespace(kind=kind), Answer(json.dumps(answered), None, {}), TEXT) == shown


def test_a_grammar_that_holds_nothing_of_it_is_nothing() -> None:
    assert said(SimpleNamespace(kind="recognize"), Answer("", None, {}), None) == "nothing"
