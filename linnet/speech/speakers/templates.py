"""Templates: an enrolled voice that can be taken back, and does not fit any other system's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_LEAST_KEY = 16


@dataclass(frozen=True, eq=False)
class Template:
    """A voice turned by a secret key: its scores are those of the voice itself, for who has the key.

    Give every person, or every service, a key of its own. Once a template leaks, enrol again with another key: the old
    template scores with the new one as two strangers do. It is no encryption: key and template together give the voice.

    Source of the idea: Ratha, Connell and Bolle, Enhancing security and privacy in biometrics-based authentication
        systems, IBM Systems Journal 40, 2001 (cancelable biometrics).
    """

    name: str
    values: Floats
    recordings: int
    """How many recordings it was made from."""

    def similarity(self, voices: ArrayLike, key: bytes) -> Floats:
        """(recordings,): the scores of voices (recordings, size) with this one, if `key` is that of its enrolment."""
        turned = _turned(_rows(voices, self.name), key)
        if turned.shape[1] != len(self.values):
            raise LinnetError(f"the template of '{self.name}' has {len(self.values)} values, the voices have "
                              f"{turned.shape[1]}; it was enrolled with another model. Enrol again.")
        return np.asarray(turned[:, :-1] @ self.values[:-1] + turned[:, -1] + self.values[-1])


def enrol(name: str, voices: ArrayLike, *, key: bytes) -> Template:
    """A template from one or more voices (recordings, size) of one person: their mean, turned by `key`.

    >>> voices = np.eye(5)[:2]
    >>> ann = enrol("ann", voices, key=b"0123456789abcdef")
    >>> ann.similarity(voices, b"0123456789abcdef").round(6).tolist()
    [0.5, 0.5]
    """
    rows = _rows(voices, name)
    return Template(name, _turned(rows, key).mean(axis=0), len(rows))


def _turned(rows: Floats, key: bytes) -> Floats:
    """All values but the last, which belongs to no direction, turned by a rotation that the key alone determines."""
    given: object = key
    if not isinstance(given, bytes) or len(given) < _LEAST_KEY:
        raise LinnetError(f"the key of a template has at least {_LEAST_KEY} bytes, such as secrets.token_bytes(32); "
                          f"got {len(key)} of {type(key).__name__}.")
    seed = int.from_bytes(hashlib.sha256(key).digest(), "big")
    size = rows.shape[1] - 1
    rotation, triangle = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))
    return np.column_stack([rows[:, :-1] @ (rotation * np.sign(np.diag(triangle))), rows[:, -1]])


def _rows(voices: ArrayLike, name: str) -> Floats:
    try:
        rows = np.asarray(voices, np.float64)
    except ValueError as error:
        raise LinnetError(f"voices of '{name}' are rows of numbers, all of one length ({error}).") from error
    if rows.ndim != 2 or not len(rows) or rows.shape[1] < 2:
        raise LinnetError(f"voices of '{name}' are finite rows, one a recording, of at least 2 values; got "
                          f"{rows.shape}.")
    if bad := int((~np.isfinite(rows)).sum()):
        raise LinnetError(f"voices of '{name}' are finite; {bad} values are NaN or infinite.")
    return rows
