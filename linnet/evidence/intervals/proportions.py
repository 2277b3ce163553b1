"""Intervals of one share: so many successes among n independent trials.

A one-sided bound at `level` is the same end of the two-sided interval at `2 * level - 1`.
"""

from __future__ import annotations

from linnet.errors import LinnetError
from linnet.evidence.settings import check_between, check_trials, is_number

_ROUNDING = 1e-9  # of n: a mean times a number of rows may come out a little above all of them


def binomial(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of a share, exact: it covers at least at `level` for every n.

    Assumes: trials are independent, with one chance of success, and n was not chosen by looking at the results.
    Source: Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial,
        Biometrika 26, 1934.
    Not for: rows of the same speakers, writers or videos (`betting` or `clustered_mean` with the clusters); scores
        between 0 and 1 (`betting`); repeated looks (`sequences`).

    >>> low, high = binomial(9, 10, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.555, 0.997)
    """
    one_sided = (1 + check_between("level", level)) / 2
    return binomial_lower(successes, n, one_sided), binomial_upper(successes, n, one_sided)


def binomial_lower(successes: int, n: int, level: float = 0.95) -> float:
    """The share is at least this, sure at `level` (exact, one-sided).

    Assumes: as `binomial`.
    Source: Clopper and Pearson, Biometrika 26, 1934.
    Not for: what `binomial` is not for.

    >>> round(binomial_lower(100, 100, 0.95), 4)
    0.9705
    """
    return beta_lower(*check_trials(successes, n), level)


def binomial_upper(successes: int, n: int, level: float = 0.95) -> float:
    """The share is at most this, sure at `level` (exact, one-sided).

    Assumes: as `binomial`.
    Source: Clopper and Pearson, Biometrika 26, 1934.
    Not for: what `binomial` is not for.

    >>> round(binomial_upper(0, 100, 0.95), 4)
    0.0295
    """
    hits, trials = check_trials(successes, n)
    return 1.0 - beta_lower(trials - hits, trials, level)


def beta_lower(successes: float, n: float, level: float) -> float:
    """`binomial_lower` for counts that need not be whole: an effective sample size, a planned one.

    Assumes: as `binomial`; with counts that are not whole it is an approximation.
    Source: Clopper and Pearson, Biometrika 26, 1934; Korn and Graubard, Survey Methodology 24, 1998.
    Not for: counted trials (`binomial_lower` checks them).

    >>> round(beta_lower(78.4, 87.1, 0.95), 4)
    0.8307
    """
    from scipy.special import betaincinv

    check_between("level", level)
    rounding = _ROUNDING * n if is_number(successes) and is_number(n) else 0.0
    if not (is_number(successes) and is_number(n) and -rounding <= successes <= n + rounding):
        raise LinnetError(f"{successes!r:.40} successes of {n!r:.40} are no part of a whole; expected two numbers, the "
                          "first from 0 to the second.")
    return 0.0 if successes <= 0 else float(betaincinv(successes, max(n - successes, 0) + 1, 1 - level))
