"""What a look costs: of the error that a claim may make, each file that is held against the same data gets a share.

Who holds ten files against one test part and keeps the best is misled more often than each claim by itself admits. So
the n-th file may err with a share of alpha only, and the shares add up to one, however many files will follow: the
chance that a claim of one kind holds falsely for any of them is at most alpha.

That holds for files that the answers on these data had no part in making: other seeds, sizes, recipes, tried one after
another until a claim holds. It does not hold for files that are made from such answers or from many exact figures of
earlier files: they learn the test part, and no share of alpha pays for that. A new test part does.
"""

from __future__ import annotations

from linnet.errors import LinnetError

FIRST = 0.8
"""The share of the first file. Most data should be looked at once, so most is there; the rest falls as n(n-1)."""

MOST = 1_000_000
"""Beyond, nothing is left of alpha that a float could tell from none."""


def share(look: int) -> float:
    """The share of alpha for the n-th file; all shares add up to 1.

    Assumes: files are numbered in the order in which they were first held against the data, and what the data answered
        to earlier ones had no part in making later ones, but for when to stop.
    Source: Bonferroni's inequality with unequal weights, spent one by one: Foster and Stine, Alpha-investing, Journal
        of the Royal Statistical Society B 70, 2008.
    Not for: files made from answers or figures on these data (see the module); many looks at one growing stream, where
        `evidence.sequences` are cheaper.

    >>> [round(share(look), 3) for look in (1, 2, 3, 10)]
    [0.8, 0.1, 0.033, 0.002]
    """
    if isinstance(look, bool) or not isinstance(look, int) or not 1 <= look <= MOST:
        raise LinnetError(f"looks are counted 1, 2, 3 ... {MOST:,}; got {str(look)[:20]}.")
    return FIRST if look == 1 else (1 - FIRST) / (look * (look - 1))


def level_at(look: int, level: float) -> float:
    """The level at which the n-th file is tested, so that all files together keep `level`.

    Assumes: as `share`.
    Source: as `share`.
    Not for: claims that rest on no data (size) or on a machine (latency).

    >>> [round(level_at(look, 0.95), 4) for look in (1, 2, 10)]
    [0.96, 0.995, 0.9999]
    """
    return 1 - (1 - level) * share(look)
