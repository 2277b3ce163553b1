from __future__ import annotations

import pytest

from linnet.report import counting


@pytest.mark.parametrize(("rate", "down", "up"), [(0.29, 29, 29), (0.289, 28, 29), (0.0, 0, 0), (1.0, 100, 100),
                                                  (0.9999, 99, 100), (0.57, 57, 57)])
def test_bounds_are_rounded_against_the_claim(rate: float, down: int, up: int) -> None:
    assert counting.share(rate, rounding="down") == down
    assert counting.share(rate, rounding="up") == up


@pytest.mark.parametrize(("rate", "of"), [(0.5, 100), (0.994, 100), (0.996, 1000), (0.9996, 10_000), (0.004, 1000),
                                          (0.0, 100)])
def test_a_rate_near_the_end_gets_more_digits(rate: float, of: int) -> None:
    assert counting.scale(rate) == of


@pytest.mark.parametrize(("size_bytes", "said"), [(0, "0 KB"), (1, "1 KB"), (38_000, "38 KB"), (38_001, "39 KB"),
                                                  (999_999, "1000 KB"), (2_000_001, "2.1 MB")])
def test_sizes_are_rounded_up(size_bytes: int, said: str) -> None:
    assert counting.size(size_bytes) == said


@pytest.mark.parametrize(("value", "said"), [(0.0, "0 ms"), (0.1, "0.1 ms"), (0.10001, "0.11 ms"), (9.95, "10 ms"),
                                             (123.2, "124 ms")])
def test_times_are_rounded_up(value: float, said: str) -> None:
    assert counting.milliseconds(value) == said


def test_lists_end_with_and() -> None:
    assert counting.listed(["a"]) == "a"
    assert counting.listed(["a", "b", "c"]) == "a, b and c"
    assert counting.listed([f"s{n}" for n in range(9)]).endswith("s5 and 3 more")
