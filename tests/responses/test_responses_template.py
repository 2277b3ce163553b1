import datetime
from decimal import Decimal

import pytest

from linnet.errors import LinnetError
from linnet.responses import book, template

UNREAD = "{count, plural, =0 {Nothing new} one {# message} other {# messages}}, {name}."
POLISH = "{n, plural, one {# dzień} few {# dni} many {# dni} other {# dnia}}"
ARABIC = "{n, plural, zero {z} one {1} two {2} few {f} many {m} other {o}}"


@pytest.mark.parametrize(("text", "locale", "given", "said"), [
    (UNREAD, "en", {"count": 0, "name": "Ann"}, "Nothing new, Ann."),
    (UNREAD, "en", {"count": 1, "name": "Ann"}, "1 message, Ann."),
    (UNREAD, "en", {"count": 1200, "name": "Ann"}, "1,200 messages, Ann."),
    (UNREAD, "en", {"count": 1.5, "name": "Ann"}, "1.5 messages, Ann."),
    (UNREAD, "de", {"count": 1200, "name": "Ann"}, "1.200 messages, Ann."),
    (POLISH, "pl", {"n": 1}, "1 dzień"), (POLISH, "pl", {"n": 3}, "3 dni"), (POLISH, "pl", {"n": 1.5}, "1,5 dnia"),
    (ARABIC, "ar", {"n": 0}, "z"), (ARABIC, "ar", {"n": 2}, "2"), (ARABIC, "ar", {"n": 11}, "m"),
    ("{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}", "en", {"n": 22}, "22nd"),
    ("{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}", "en", {"n": 13}, "13th"),
    ("{g, select, f {she} other {they}}", "en", {"g": "f"}, "she"),
    ("{g, select, f {she} other {they}}", "en", {"g": "x"}, "they"),
    ("{n, plural, one {{g, select, f {her #} other {their #}}} other {#}}", "en", {"n": 1, "g": "f"}, "her 1"),
    ("{a, currency, EUR}", "en", {"a": Decimal("1234.5")}, "€1,234.50"),
    ("{a, currency, JPY}", "en", {"a": 1234}, "¥1,234"),
    ("{p, number, percent} {p, number, integer} {p}", "en", {"p": 0.75}, "75% 1 0.75"),
    ("{d, date, long}; {d}", "en", {"d": datetime.date(2026, 11, 22)}, "November 22, 2026; Nov 22, 2026"),
    ("{d, date, short}", "de", {"d": datetime.datetime(2026, 11, 22, 9, 5)}, "22.11.26"),
    ("{t, time}", "de", {"t": datetime.time(9, 5)}, "09:05"),
    ("{l}, {l, list, or}", "en", {"l": ["a", "b", "c"]}, "a, b, and c, a, b, or c"), ("{l}", "en", {"l": []}, ""),
    ("It's '{'{x}'}' ''# {n, plural, one {} other {'#' #}}", "en", {"x": "x", "n": 2}, "It's {x} '# # 2"),
    ("", "en", {}, ""), ("no values # at all", "en", {}, "no values # at all"),
    ("{ x }", "en", {"x": "{y}"}, "{y}"),
])
def test_it_is_filled_in_by_the_rules_of_the_language(text, locale, given, said):
    assert template(text, locale).fill(given).replace("\u202f", " ") == said


@pytest.mark.parametrize(("text", "locale", "line", "column", "said"), [
    ("Hello {name", "en", 1, 7, "'{' is never closed"),
    ("Hello\n  {n, plural, one {a} other {b}", "en", 2, 3, "'{' is never closed"),
    ("{n, plural, one {a} other {b", "en", 1, 27, "'{' is never closed"),
    ("a } b", "en", 1, 3, "closes nothing"),
    ("a\nb {1}", "en", 2, 4, "a variable's name"),
    ("{}", "en", 1, 2, "a variable's name"),
    ("{n name}", "en", 1, 4, "expected ',' or '}'"),
    ("{n, plurals}", "en", 1, 5, "unknown kind of value 'plurals'"),
    ("{n, plural, one {a}}", "en", 1, 1, "plural lacks the case other; in 'en' it needs one, other"),
    ("{n, plural, one {a} other {b}}", "pl", 1, 1, "plural lacks the case few, many"),
    ("{n, plural, few {a} other {b}}", "en", 1, 13, "has no case 'few'"),
    ("{n, plural, one {a} one {b} other {c}}", "en", 1, 21, "stands twice"),
    ("{n, plural, one a}", "en", 1, 17, "the text of the case 'one'"),
    ("{g, select, =1 {a} other {b}}", "en", 1, 13, "numbers are for plural"),
    ("{g, select, f {a}}", "en", 1, 1, "select lacks the case other"),
    ("{d, date, longest}", "en", 1, 11, "unknown style of date"),
    ("{d, date, long extra}", "en", 1, 16, "expected '}'"),
    ("{a, currency}", "en", 1, 1, "needs its currency"),
    ("{a, currency, euro}", "en", 1, 15, "three capital letters"),
    ("say '{this", "en", 1, 5, "never closed"),
    ("{n, plural, other {" * 30, "en", 1, 400, "more than 20 deep"),
])
def test_what_cannot_be_read_is_said_with_line_and_column(text, locale, line, column, said):
    with pytest.raises(LinnetError, match=f"line {line}, column {column}: ") as error:
        template(text, locale)
    assert said in str(error.value)
    shown, mark = str(error.value).split("\n")[1:]
    assert shown.strip() == text.split("\n")[line - 1].strip()
    assert mark.index("^") == column + 1


@pytest.mark.parametrize(("given", "said"), [
    ({"count": 1}, "lacks a value for name; it asks for count, name"),
    ({"count": 1, "name": "x", "nmae": "y"}, "unknown value of the template 'nmae'; did you mean 'name'"),
    ({"count": "1", "name": "x"}, "'count' must be a number; got '1'"),
    ({"count": True, "name": "x"}, "'count' must be a number"),
    ({"count": float("nan"), "name": "x"}, "'count' must be a number"),
    ({"count": 1, "name": object}, "the value of 'name' is a type"),
])
def test_values_that_do_not_fit_are_refused(given, said):
    with pytest.raises(LinnetError, match=said):
        template(UNREAD).fill(given)


def test_kinds_of_values_are_checked():
    for text, value in (("{x, date}", "today"), ("{x, time}", 9), ("{x, list}", "abc"), ("{x, currency, EUR}", "9")):
        with pytest.raises(LinnetError, match="'x' must be"):
            template(text).fill(x=value)


def test_no_value_brings_markup_of_its_own():
    made = template("<speak>Hello, {name}</speak>")
    assert made.fill_ssml(name="A & <break/>") == "<speak>Hello, A &amp; &lt;break/&gt;</speak>"


def test_an_unknown_language_is_refused():
    with pytest.raises(LinnetError, match="unknown language 'klingon'"):
        template("x", "klingon")


def test_a_book_is_checked_as_a_whole(tmp_path):
    path = tmp_path / "book.yaml"
    path.write_text("en:\n  hello: Hello, {name}.\n  bye: Bye.\nde:\n  hello: Hallo, {name}.\n  bye: Bis bald.\n")
    read = book(path)
    assert read.fill("hello", "de-AT", name="Ann") == "Hallo, Ann."
    with pytest.raises(LinnetError, match="unknown response 'helo'; did you mean 'hello'"):
        read.fill("helo", "en")
    with pytest.raises(LinnetError, match="unknown language of the responses 'fr'"):
        read.fill("hello", "fr")
    path.write_text("en:\n  hello: Hello, {name\n  bye: 3\n")
    with pytest.raises(LinnetError, match=r"(?s)- en.hello: .*line 1, column 8.*- en.bye: a template is a text"):
        book(path)
    path.write_text("en:\n  hello: Hello, {name}.\n  bye: Bye.\nde:\n  hello: Hallo, {nam}.\n")
    with pytest.raises(LinnetError, match=r"(?s)de lacks the response 'bye'.*de.hello asks for nam, en.hello for name"):
        book(path)
    path.write_text("de: {}\nen:\n  hello: Hello.\n")
    with pytest.raises(LinnetError, match="de lacks the response 'hello'"):
        book(path)
    path.write_text("de: {}\n")
    with pytest.raises(LinnetError, match="no response in any language"):
        book(path)
    path.write_text("- 1")
    with pytest.raises(LinnetError, match="maps languages to names"):
        book(path)
