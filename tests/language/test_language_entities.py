"""Entities with their values, in what people say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from linnet.errors import LinnetError
from linnet.language import entities
from linnet.language.entities import Names

NOW = datetime(2026, 11, 22, 15, 50)  # a Sunday


def found(text: str, **options: Any) -> list[tuple[str, Any]]:
    return [(one.kind, one.value) for one in entities.find(text, now=NOW, **options)]


@pytest.mark.parametrize(("text", "value"), [
    ("i have three dogs", 3.0), ("3 dogs", 3.0), ("two hundred and fifty three people", 253.0),
    ("it weighs forty two point five kilos", 42.5), ("1,200.50 of them", 1200.5), ("a million reasons", 1e6),
    ("twenty-five people", 25.0)])
def test_numbers(text: str, value: float) -> None:
    assert found(text) == [("number", value)]


@pytest.mark.parametrize(("text", "value"), [("the third option", 3.0), ("take the 5th one", 5.0)])
def test_ordinals_are_no_numbers(text: str, value: float) -> None:
    assert ("ordinal", value) in found(text)
    assert "number" not in dict(found(text.replace("one", "")))


@pytest.mark.parametrize(("text", "value"), [
    ("send $5.50 to ann", "USD 5.50"), ("two hundred dollars", "USD 200.00"), ("rs 500", "INR 500.00"),
    ("five pounds and ten pence", "GBP 5.10"), ("ninety cents", "USD 0.90"), ("20 €", "EUR 20.00"),
    ("it was twelve hundred rupees", "INR 1200.00"), ("three dollars and five cents", "USD 3.05")])
def test_amounts(text: str, value: str) -> None:
    assert found(text) == [("amount", value)]


def test_two_amounts_stay_two() -> None:
    assert found("five dollars and ten euros") == [("amount", "USD 5.00"), ("amount", "EUR 10.00")]


@pytest.mark.parametrize(("text", "value"), [
    ("tomorrow", "2026-11-23"), ("the day after tomorrow", "2026-11-24"), ("yesterday", "2026-11-21"),
    ("on monday", "2026-11-23"), ("on sunday", "2026-11-29"), ("next friday", "2026-11-27"),
    ("last friday", "2026-11-20"), ("last sunday", "2026-11-15"), ("in two weeks", "2026-12-06"),
    ("in a week", "2026-11-29"), ("the 5th of may", "2027-05-05"), ("may 5", "2027-05-05"),
    ("december the first", "2026-12-01"), ("5 may 2031", "2031-05-05"), ("on 2027-05-06 please", "2027-05-06"),
    ("february 29", "2028-02-29"), ("november 22", "2026-11-22")])
def test_dates(text: str, value: str) -> None:
    assert found(text) == [("date", value)]


def test_next_friday_on_a_wednesday_is_that_of_the_week_after() -> None:
    wednesday = datetime(2026, 11, 25)
    said = [entities.find(text, now=wednesday)[0].value for text in ("friday", "next friday", "last friday")]
    assert said == ["2026-11-27", "2026-12-04", "2026-11-20"]


@pytest.mark.parametrize("text", ["february 30", "play may it be", "march on", "the 45th of may", "sat down"])
def test_what_is_no_date(text: str) -> None:
    assert "date" not in dict(found(text))


@pytest.mark.parametrize(("text", "value"), [
    ("7 pm", "19:00"), ("7pm", "19:00"), ("at 7:30", "07:30"), ("7:30 p.m.", "19:30"), ("half past six", "06:30"),
    ("quarter to nine in the evening", "20:45"), ("at seven thirty pm", "19:30"), ("at seven", "07:00"),
    ("noon", "12:00"), ("12 am", "00:00"), ("12 pm", "12:00"), ("ten past four", "04:10"), ("18:45", "18:45"),
    ("in twenty minutes", "16:10"), ("in half an hour", "16:20"), ("five o'clock", "05:00"),
    ("eight in the morning", "08:00")])
def test_times(text: str, value: str) -> None:
    assert found(text) == [("time", value)]


@pytest.mark.parametrize("text", ["a table for two", "seven dwarfs", "from one to ten", "in twenty years"])
def test_what_is_no_time(text: str) -> None:
    assert "time" not in dict(found(text))


@pytest.mark.parametrize(("text", "region", "value"), [
    ("call +1 650 253 0000 please", "IN", "+16502530000"), ("my number is 98765 43210", "IN", "+919876543210"),
    ("nine eight seven six five four three two one oh", "IN", "+919876543210"),
    ("it is six five oh two five three triple zero zero", "US", "+16502530000"),
    ("plus four four two oh seven nine four six oh nine five eight", "US", "+442079460958")])
def test_phone_numbers(text: str, region: str, value: str) -> None:
    assert found(text, region=region) == [("phone", value)]


def test_a_run_of_digits_that_is_no_phone_number_is_numbers() -> None:
    assert "phone" not in dict(found("one two three four", region="US"))
    assert "phone" not in dict(found("one one one one one one one one one one", region="US"))


CITIES = Names("city", {"New York": ["big apple", "NYC"], "Oslo": [], "Rome": []})


@pytest.mark.parametrize(("text", "values"), [
    ("from new york to oslo", ["New York", "Oslo"]), ("the Big Apple", ["New York"]), ("nyc", ["New York"]),
    ("new yrok", ["New York"]), ("olso", []), ("nyx", []), ("romance", []), ("", [])])
def test_names_from_a_list(text: str, values: list[str]) -> None:
    assert [one.value for one in CITIES.find(text)] == values


def test_a_name_is_worth_more_than_a_number_in_it() -> None:
    bands = Names("band", {"Five": [], "Thirty Seconds to Mars": []}, likeness=1.0)
    assert found("play thirty seconds to mars at 7 pm", names=[bands]) == [
        ("band", "Thirty Seconds to Mars"), ("time", "19:00")]
    assert found("play five", names=[bands]) == [("band", "Five")]


def test_places_are_those_of_the_text() -> None:
    text = "Pay £5.50 on Monday"
    assert [one.of(text) for one in entities.find(text, now=NOW)] == ["£5.50", "Monday"]


def test_a_whole_sentence() -> None:
    assert found("book a table for four next friday at half past seven in the evening for about $80") == [
        ("number", 4.0), ("date", "2026-11-27"), ("time", "19:30"), ("amount", "USD 80.00")]


@pytest.mark.parametrize("text", ["", "   ", "नमस्ते दुनिया", "...", "\U0001f600"])
def test_empty_texts_and_other_scripts_have_none(text: str) -> None:
    assert found(text) == []


def test_only_the_kinds_that_are_asked_for() -> None:
    assert found("5 dollars tomorrow", kinds=["date"]) == [("date", "2026-11-23")]
    with pytest.raises(LinnetError, match="did you mean 'date'"):
        found("tomorrow", kinds=["dates"])


@pytest.mark.parametrize("wrong", [
    lambda: entities.find(5),  # type: ignore[arg-type]
    lambda: entities.find("call", region="Mars"), lambda: Names("city", {}), lambda: Names("city", {"": []}),
    lambda: Names("city", {"Oslo": []}, likeness=0)])
def test_what_cannot_be_is_refused(wrong: Any) -> None:
    with pytest.raises(LinnetError):
        wrong()
