"""Phone numbers, in figures and digit by digit."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.errors import LinnetError, missing_extra
from linnet.language.entities.entity import Entity, Word

_DIGITS = {"zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
           "seven": "7", "eight": "8", "nine": "9"}
_REPEATS = {"double": 2, "triple": 3, "treble": 3}


def phone_entities(text: str, words: Sequence[Word], region: str) -> list[Entity]:
    """Valid numbers as "+16502530000"; those without a country's code are of `region`, such as "US" or "IN".

    Spoken ones are read digit by digit, "double five" and "oh" included, and kept where they are valid numbers.
    Raises LinnetError for a region that is none.
    """
    try:
        import phonenumbers
    except ImportError as error:
        raise missing_extra("phonenumbers", "entities") from error
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise LinnetError(f"region is the code of a country in capitals, such as 'US' or 'IN'; got {region!r}.")
    written = phonenumbers.PhoneNumberFormat.E164
    found = [Entity("phone", phonenumbers.format_number(match.number, written), match.start, match.end)
             for match in phonenumbers.PhoneNumberMatcher(text, region)]
    for digits, first, last in _spoken(words):
        try:
            number = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            found.append(Entity("phone", phonenumbers.format_number(number, written), words[first].start,
                                words[last - 1].end))
    return found


def _spoken(words: Sequence[Word]) -> list[tuple[str, int, int]]:
    """Runs of digits in words: the digits, the first word, and the one behind the last."""
    runs, place = [], 0
    while place < len(words):
        digits, last = "+" if words[place].text == "plus" else "", place + (words[place].text == "plus")
        while last < len(words):
            times = _REPEATS.get(words[last].text, 0)
            digit = _DIGITS.get(words[last + bool(times)].text) if last + bool(times) < len(words) else None
            if digit is None:
                break
            digits, last = digits + digit * max(1, times), last + 1 + bool(times)
        if len(digits) >= 7:
            runs.append((digits, place, last))
        place = max(last, place + 1)
    return runs
