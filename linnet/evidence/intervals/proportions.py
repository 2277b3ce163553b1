"""Intervals of one share: so many successes among n independent trials.

A one-sided bound at `level` is the same end of the two-sided interval at `2 * level - 1`.
"""

from __future__ import annotations

from linnet.errors import LinnetError


def binomial(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of a share, exact: it covers at least at `level` for every n (Clopper and Pearson 1934).

    >>> low, high = binomial(9, 10, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.555, 0.997)
    """
    one_sided = (1 + level) / 2
    return binomial_lower(successes, n, one_sided), binomial_upper(successes, n, one_sided)


def binomial_lower(successes: int, n: int, level: float = 0.95) -> float:
    """The share is at least this, sure at `level` (exact, one-sided).

    >>> round(binomial_lower(100, 100, 0.95), 4)
    0.9705
    """
    _check_counts(successes, n)
    return beta_lower(successes, n, level)


def binomial_upper(successes: int, n: int, level: float = 0.95) -> float:
    """The share is at most this, sure at `level` (exact, one-sided)."""
    _check_counts(successes, n)
    return 1.0 - beta_lower(n - successes, n, level)


def beta_lower(successes: float, n: float, level: float) -> float:
    """`binomial_lower` for counts that need not be whole: an effective sample size, a planned one."""
    from scipy.special import betaincinv

    return 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, 1 - level))


def _check_counts(successes: int, n: int) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise LinnetError(f"{successes} successes of {n} are not counts; "
                          "expected at least 1 sample and from 0 to all of them successes.")
