"""What a look costs: of the error that a claim may make, each file that is held against the same data gets a share.

Who holds ten files against one test part and keeps the best is misled more often than each claim by itself admits. So
the n-th file may err with a share of alpha only, and the shares add up to one, however many files will follow. It is
alpha spending (Lan and DeMets, Biometrika 70, 1983) with files for looks: the bounds of all files that were ever held
against these data are right together with `level`, also where a later file was made because of what an earlier showed.
"""

from __future__ import annotations

from linnet.errors import LinnetError

FIRST = 0.8
"""The share of the first file. Most data should be looked at once, so most is there; the rest falls as n(n-1)."""


def share(look: int) -> float:
    """The share of alpha for the n-th file; all shares add up to 1.

    Assumes: files are numbered in the order in which they were first held against the data.
    Source: Lan and DeMets, Discrete sequential boundaries, Biometrika 70, 1983.
    Not for: many looks at one growing stream; `evidence.sequences` are cheaper there.

    >>> [round(share(look), 3) for look in (1, 2, 3, 10)]
    [0.8, 0.1, 0.033, 0.002]
    """
    if isinstance(look, bool) or not isinstance(look, int) or look < 1:
        raise LinnetError(f"looks are counted 1, 2, 3 ...; got {look!r}.")
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
