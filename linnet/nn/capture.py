"""Capture: the responses of named layers, written to Parquet while the data run through; a stop loses nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from linnet.errors import DamagedFileError, LinnetError, unknown
from linnet.evidence.settings import is_count
from linnet.files import alone, replacing
from linnet.nn.channels import path_of
from linnet.nn.model import Model
from linnet.progress import Progress

if TYPE_CHECKING:
    from linnet.data import Dataset
    from linnet.tasks import Task

_SAID = "capture.json"


@dataclass(frozen=True)
class Captured:
    """A folder of responses. Iterating gives chunks, layer to (samples, units) float32, one file in memory at a time.

    Every look that streams takes it: `introspect.redundancy(captured)`, `inactive`, `cka`.
    """

    folder: Path

    @property
    def said(self) -> dict[str, Any]:
        """Which model, data and layers these are, and in how many pieces: as `capture` wrote it down."""
        path = Path(self.folder) / _SAID
        if not path.exists():
            raise LinnetError(f"{self.folder} holds no captured responses; make them with nn.capture(...).")
        return _read(path)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose responses lie here."""
        return tuple(self.said["layers"])

    @property
    def ids(self) -> list[str]:
        """The samples, in the order of the rows."""
        return [str(name) for part in self._pieces(["id"]) for name in part.column("id").to_pylist()]

    def __len__(self) -> int:
        return int(self.said["rows"])

    def __iter__(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        for part in self._pieces(list(self.layers)):
            yield {layer: _matrix(part.column(layer)) for layer in self.layers}

    def _pieces(self, columns: list[str]) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import parquet

        for number in range(self.said["pieces"]):
            path = Path(self.folder) / _name(number)
            try:
                yield parquet.read_table(path, columns=columns)
            except (OSError, pa.ArrowException) as error:
                raise DamagedFileError(f"{path} is missing or cannot be read ({error}); delete it and call nn.capture "
                                       "again, which makes what is missing.") from error


def capture(model: Model, task: Task, dataset: Dataset, folder: str | Path, *, layers: Iterable[str] | None = None,
            batch: int = 256, progress: Progress | None = None) -> Captured:
    """Write what `layers` respond to each sample into `folder`, one Parquet file each `batch` samples.

    A layer is named as in `model.layers` (all of them without `layers`) or by its path in the network
    ("layers.block1.pointwise.conv"); its output is averaged over positions, as in `model.responses`. After a stop, the
    same call goes on where it ended; memory does not grow with the samples.

    Raises LinnetError for an unknown layer (with the nearest name), a layer that gave no one array a sample, and a
    folder that holds the responses of another model, other data or other layers.
    """
    if isinstance(layers, str):
        raise LinnetError(f"layers are several names; for one, give a list: layers=['{layers}'].")
    paths = _paths(model, tuple(model.layers if layers is None else layers))
    if not is_count(batch) or batch < 1:
        raise LinnetError(f"batch is how many samples a file holds, at least 1; got {batch!r}.")
    target, starts = Path(folder), range(0, len(dataset), int(batch))
    if target.exists() and not target.is_dir():
        raise LinnetError(f"{target} is a file; captured responses need a folder.")
    order = hashlib.sha256("\n".join(dataset.ids).encode()).hexdigest()
    said = {"model": model.identity, "data": dataset.fingerprint, "order": order, "layers": list(paths),
            "rows": len(dataset), "batch": int(batch), "pieces": len(starts)}
    with alone(target, "capture"):
        _begin(target, said)
        for number, start in enumerate(starts):
            if not (target / _name(number)).exists():
                part = dataset.take(range(start, min(start + batch, len(dataset))))
                _write(target / _name(number), part.ids, _responses(model, task, part, paths))
            if progress:
                progress(number + 1, len(starts), "capture")
    return Captured(target)


def _paths(model: Model, layers: tuple[str, ...]) -> dict[str, str]:
    """Layer to its path in the module. LinnetError for an unknown one, naming the nearest."""
    modules = dict(model.module.named_modules())
    if not layers:
        raise LinnetError(f"capture needs at least one layer; model '{model.name}' has {', '.join(model.layers)}.")
    for layer in layers:
        if not layer or path_of(model.module, layer) not in modules:
            raise unknown("layer", layer, {*model.layers, *(path for path in modules if path)})
    return {layer: path_of(model.module, layer) for layer in layers}


def _begin(folder: Path, said: Mapping[str, Any]) -> None:
    """Write down what comes here, or see that it is what came here before."""
    path = folder / _SAID
    if path.exists():
        before = _read(path)
        other = sorted(key for key in said if before.get(key) != said[key])
        if other:
            raise LinnetError(f"{folder} holds responses of another capture ({', '.join(other)} differ); take another "
                              "folder, or delete this one.")
        return
    with replacing(path) as partial:
        partial.write_text(json.dumps(said, indent=1), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise DamagedFileError(f"{path} cannot be read ({error}); take another folder, or delete this one.") from error


def _responses(model: Model, task: Task, part: Dataset, paths: Mapping[str, str]) -> dict[str, NDArray[np.float32]]:
    seen: dict[str, list[NDArray[np.float32]]] = {layer: [] for layer in paths}
    with _listening(model, paths, seen):
        model(task.prepare(task.read(part)))
    for layer, parts in seen.items():
        if sum(map(len, parts)) != len(part):
            raise LinnetError(f"layer '{layer}' gave {sum(map(len, parts))} responses to {len(part)} samples: it does "
                              "not run exactly once a sample. Take a layer that holds it, or one behind it.")
    return {layer: np.concatenate(parts) for layer, parts in seen.items()}


@contextmanager
def _listening(model: Model, paths: Mapping[str, str], seen: Mapping[str, list[NDArray[np.float32]]]) -> Iterator[None]:
    axes = {layer["name"]: layer.get("axis", 1) for layer in model.spec["layers"]}

    def listener(layer: str, axis: int) -> Any:
        return lambda _module, _inputs, output: seen[layer].append(_averaged(output, axis))

    handles = []
    for layer, path in paths.items():
        module = model.module.get_submodule(path)
        handles.append(module.register_forward_hook(listener(layer, axes.get(layer, _axis(module)))))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _axis(module: nn.Module) -> int:
    """Where a part that the spec does not name has its channels: second for convolutions, else last."""
    kinds = (nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d)
    return 1 if any(isinstance(part, kinds) for part in module.modules()) else -1


def _averaged(output: Any, axis: int) -> NDArray[np.float32]:
    """(samples, channels): the mean over every other axis."""
    values: Tensor = output if isinstance(output, Tensor) else output[0]
    if values.ndim < 2:
        values = values.reshape(-1, 1)
    positions = [place for place in range(1, values.ndim) if place != axis % values.ndim]
    values = values.detach().float()
    return np.asarray((values.mean(dim=positions) if positions else values).cpu().numpy(), np.float32)


def _write(path: Path, ids: list[str], responses: Mapping[str, NDArray[np.float32]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {layer: pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()),
                                                        values.shape[1]) for layer, values in responses.items()}
    with replacing(path) as partial:
        parquet.write_table(pa.table({"id": pa.array(ids), **columns}), partial, compression="zstd")


def _matrix(column: Any) -> NDArray[np.float32]:
    joined = column.combine_chunks()
    width = joined.type.list_size
    return np.asarray(joined.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(-1, width)


def _name(number: int) -> str:
    return f"{number:06d}.parquet"
