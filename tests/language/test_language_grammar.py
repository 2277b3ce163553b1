"""Templates to acceptors: what they hold, what it means, and where they are wrong."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.language import grammar
from linnet.language.grammar import GrammarError, Meaning

HOME = """
# what a house is told
light = (turn|switch) (on|off) [the] {room} light [please]
light = {room} light (on|off)
timer = set a timer for <number>+ minutes
{room} = kitchen | (living|dining) room
<number> = one | two | twenty [one|two]
stop
"""


def test_it_holds_what_the_templates_say_and_nothing_else() -> None:
    made = grammar.read(HOME)
    assert made.acceptor.accepts(["switch", "off", "living", "room", "light", "please"])
    assert made.acceptor.accepts(["stop"])
    for other in ("switch the light", "stop stop", "kitchen", "turn on the living light", ""):
        assert not made.acceptor.accepts(other.split()), other
        assert made.parse(other) is None
    assert made.acceptor.count() == math.inf


def test_texts_are_those_of_the_product_of_the_alternatives() -> None:
    made = grammar.read("(a|b) [c] {d}\n{d} = e | f g")
    texts = {" ".join(filter(None, choice)) for choice in itertools.product("ab", ["c", ""], ["e", "f g"])}
    assert set(made.acceptor.texts()) == texts
    assert made.acceptor.count() == len(texts)


def test_meaning_has_intent_and_slots_in_any_case() -> None:
    made = grammar.read(HOME)
    assert made.parse("Turn ON the Dining Room light") == Meaning("light", {"room": "Dining Room"})
    assert made.parse("set a timer for twenty two minutes") == Meaning("timer")
    assert made.parse("stop") == Meaning(None)


def test_an_ambiguous_text_is_read_as_the_first_template_says() -> None:
    assert grammar.read("first = a [b]\nsecond = a b").parse("a b") == Meaning("first")


def test_values_given_at_run_time_take_the_place_of_a_slot() -> None:
    made = grammar.read("call = call {name}\n{name} = nobody").having(name=["Ann (home)", "O'Neil"])
    assert made.parse("call ann (home)") == Meaning("call", {"name": "ann (home)"})
    assert made.parse("call nobody") is None
    with pytest.raises(LinnetError, match="did you mean 'name'"):
        made.having(nam=["x"])
    with pytest.raises(LinnetError, match="no values"):
        made.having(name=[])
    with pytest.raises(LinnetError, match=r"name=\['attic'\]"):
        made.having(name="attic")


@given(st.lists(st.lists(st.text("ab(|)[]{}<>+=#\\ü", min_size=1, max_size=4), min_size=1, max_size=4), min_size=1,
                max_size=5))
def test_a_list_of_sentences_holds_exactly_them(words: list[list[str]]) -> None:
    texts = {" ".join(row) for row in words}
    made = grammar.sentences(sorted(texts))
    assert set(made.acceptor.texts()) == texts
    assert all(made.parse(text) == Meaning(None) for text in texts)
    assert grammar.read(made.text) == made


@pytest.mark.parametrize(("text", "line", "column", "said"), [
    ("stop (now", 1, 6, r"'\(' is not closed"),
    ("go\nstop now)", 2, 9, "closes nothing"),
    ("a [b)", 1, 5, "where ']' is expected"),
    ("a = b |", 1, 8, "alternative without words"),
    ("a ( )", 1, 5, "alternative without words"),
    ("go\n a = x {roomm}\n{room} = hall", 2, 8, "did you mean '{room}'"),
    ("<x> = a <y>\n<y> = b <x>\n<x>", 2, 9, "stands for itself"),
    ("a {b", 1, 3, "not closed"),
    ("go\na b}", 2, 4, "'}' closes nothing"),
    ("a> b", 1, 2, "'>' closes nothing"),
    ("go\na = [b] {c}\n{c} = [d]", 2, 5, "empty text"),
    ("a = b = c", 1, 7, "once in a line"),
    ("+ a", 1, 1, "nothing does"),
    ("a \\", 1, 3, "backslash"),
    ("a {2b}", 1, 3, "is no name"),
    ("{a} = b\n{a} = c\nd {a}", 2, 1, "defined twice"),
    ("# nothing", 1, 1, "there is no template"),
    ("(" * 5000 + "a" + ")" * 5000, 1, 1, "too deep"),
])
def test_what_cannot_be_compiled_is_said_with_its_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(GrammarError, match=said) as caught:
        grammar.read(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}, column {column}:" in str(caught.value)


def test_the_empty_text_is_never_held() -> None:
    with pytest.raises(LinnetError, match="empty text"):
        grammar.read("[please]")
    with pytest.raises(LinnetError, match="without words"):
        grammar.sentences(["stop", " "])


def test_words_that_repeat_without_end_are_read() -> None:
    made = grammar.read("([a] [b])+ c")
    assert made.parse("a b b a c") == Meaning(None)
    assert made.parse("a b") is None


def test_what_goes_on_alike_is_one_state() -> None:
    made = grammar.read("go {place} now please\n{place} = " + " | ".join(f"to p{number}" for number in range(50)))
    assert len(made.acceptor.arcs) == 6
    assert len(made.words) == 54
