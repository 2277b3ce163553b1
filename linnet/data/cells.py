"""The cells of a dataset's table: files or their bytes for media, and whatever a function answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from linnet.data.columns import AudioColumn, Column, ImageColumn, ValueColumn, label_column
from linnet.data.media import Audio, encode
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa


def media_cells(files: Iterable[Path | str | bytes]) -> pa.Array:
    """A column of recordings or images, from paths relative to the dataset's root or from the bytes of files."""
    import pyarrow as pa

    cells = [{"bytes": file} if isinstance(file, bytes) else {"path": Path(file).as_posix()} for file in files]
    return pa.array(cells, pa.struct([("path", pa.string()), ("bytes", pa.large_binary())]))


def as_column(answers: Sequence[Any], name: str) -> tuple[Column, pa.Array]:
    """What a function's answers are: strings become labels, numbers values, Audio and uint8 arrays media."""
    import pyarrow as pa

    plain = [answer.item() if isinstance(answer, np.generic) else answer for answer in answers]
    if all(isinstance(answer, str) for answer in plain):
        return label_column(plain), pa.array(plain, pa.string())
    if all(isinstance(answer, int | float) and not isinstance(answer, bool) for answer in plain):
        return ValueColumn(), pa.array(plain)
    if all(isinstance(answer, Audio) for answer in plain):
        return AudioColumn(), media_cells([encode(answer) for answer in plain])
    if all(isinstance(answer, np.ndarray) and answer.dtype == np.uint8 and answer.ndim == 3 for answer in plain):
        return ImageColumn(), media_cells([encode(answer) for answer in plain])
    found = ", ".join(sorted({type(answer).__name__ for answer in plain}))
    raise LinnetError(f"map: every answer for '{name}' must be a string, or a number, or an Audio, or an image "
                      f"(height, width, channels) uint8; got {found}.")
