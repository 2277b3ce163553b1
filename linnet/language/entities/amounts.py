"""Amounts of money: a number and a currency, and the smaller coin that may follow."""

from __future__ import annotations

from collections.abc import Sequence

from linnet.language.entities.entity import Entity, Word
from linnet.language.entities.numbers import Number

_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY"}
_NAMES = {"dollar": "USD", "dollars": "USD", "usd": "USD", "bucks": "USD", "euro": "EUR", "euros": "EUR", "eur": "EUR",
          "pound": "GBP", "pounds": "GBP", "gbp": "GBP", "rupee": "INR", "rupees": "INR", "inr": "INR", "rs": "INR",
          "yen": "JPY", "jpy": "JPY"}
_COINS = {"cent": ("USD", "EUR"), "cents": ("USD", "EUR"), "pence": ("GBP",), "penny": ("GBP",), "paise": ("INR",)}


def amount_entities(words: Sequence[Word], numbers: Sequence[Number]) -> list[Entity]:
    """"five dollars and ten cents", "$5.10", "rs 500", "90 cents": as the currency's code and two decimals.

    Cents alone are taken for those of the dollar. "pounds" is money, though it may be a weight.
    """
    found: list[Entity] = []
    by_first = {number.first: number for number in numbers if not number.is_ordinal}
    used: set[int] = set()
    for number in by_first.values():
        if number.first in used:
            continue
        before = words[number.first - 1].text if number.first else ""
        after = _at(words, number.last)
        first, last, value = number.first, number.last, number.value
        currency = _SIGNS.get(before) or _NAMES.get(before)
        if currency:
            first -= 1
        elif after in _NAMES or after in _SIGNS:
            currency, last = _NAMES.get(after) or _SIGNS[after], last + 1
            coin = by_first.get(last + 1 if _at(words, last) == "and" else last)
            if coin and currency in _COINS.get(_at(words, coin.last), ()):
                value, last = value + coin.value / 100, coin.last + 1
                used.add(coin.first)
        elif after in _COINS:
            currency, value, last = _COINS[after][0], value / 100, last + 1
        if currency:
            found.append(Entity("amount", f"{currency} {value:.2f}", words[first].start, words[last - 1].end))
    return found


def _at(words: Sequence[Word], place: int) -> str:
    return words[place].text if 0 <= place < len(words) else ""
