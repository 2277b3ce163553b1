"""Discovery and confirmation on disjoint halves: what one half suggests, the other one may be asked about, once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_between, check_labels, check_seed


def halves(
    groups: Sequence[str], *, share: float = 0.5, seed: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows serve discovery, and which confirmation: two masks that leave out nothing and share nothing.

    `groups` has a label a row (a speaker, or an id of its own for each row); rows of one label stay together. `share`
    of the groups, rounded, goes to discovery, at least one to either side. The order of the rows changes nothing.

    Assumes: groups are independent of each other. Whatever was tried on the discovery rows, a test on the others is
    then as good as if its question had been fixed beforehand; several questions there still want a correction.
    Source: Cox, A note on data-splitting for the evaluation of significance levels, Biometrika 62, 1975.
    Not for: looking at the confirmation rows twice, or splitting anew until something is found.

    >>> discovery, confirmation = halves(["a", "a", "b", "c", "c", "d"])
    >>> int((discovery & confirmation).sum()), bool((discovery | confirmation).all())
    (0, True)
    """
    check_seed(seed)
    index, count = check_labels(groups, np.size(groups))
    if count < 2:
        raise LinnetError(f"{count} group cannot be split in two; give a label a group, at least two different ones.")
    chosen = min(max(round(check_between("share", share) * count), 1), count - 1)
    is_chosen = np.zeros(count, dtype=bool)
    is_chosen[np.random.default_rng(seed).permutation(count)[:chosen]] = True
    discovery = is_chosen[index]
    return discovery, ~discovery
