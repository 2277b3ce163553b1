"""adopt: a model of another framework becomes the same kind of file as our own, checked against its own answers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet import __version__
from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.export.adapters.foreign import TINY, Foreign
from linnet.export.adapters.wiring import stored_numbers
from linnet.export.parity import FLOAT_TOLERANCE, run
from linnet.export.plausible import check
from linnet.export.realised import realised
from linnet.runtime import ArraySpec, Card, Parity, artifact, with_metadata
from linnet.runtime.card import KEY
from linnet.tasks import Arrays, Task

ADAPTERS = {"lightgbm": "lightgbm", "keras": "keras", "sklearn": "sklearn", "torch": "torch_module"}
"""By the package in which the source's class, or one that it comes from, is defined; the first that fits is taken (a
LightGBM classifier is a scikit-learn estimator too, a Keras model a torch module). A path is an ONNX file."""

_SAMPLES = 256


def adopt(source: Any, task: Task, path: str | Path, *, samples: Arrays | Dataset | None = None,
          name: str | None = None) -> Path:
    """Write `source` as one ONNX file with its card; `runtime.load`, `prove`, `verify`, `bench` and `compare` take it.

    `source` is a scikit-learn estimator or pipeline, a LightGBM model, a Keras model, a torch module, or the path of an
    ONNX file, trained on `task.prepare(...)` and `task.targets(...)`; see its adapter for what it must take and
    answer. `samples` (input arrays, or a dataset: 256 rows spread over it) are answered by source and file; numbers can
    be made up, texts not. Raises LinnetError naming the worst sample where the two differ, and where the samples are a
    dataset that says what is right, for a model that does worse than what knows nothing of its input: a number in
    another unit, labels in another order. What the source was trained on is not known.
    """
    adapter = import_module(f"linnet.export.adapters.{_adapter(source)}")
    arrays, ids = _samples(task, samples)
    found: Foreign = adapter.foreign(source, task)
    content = found.graph.SerializeToString(deterministic=True)
    checked, answers = _parity(content, found, task, arrays, ids)
    if isinstance(samples, Dataset):
        check(task, answers, _spread(samples))
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    artifact.write(target, with_metadata(content, {KEY: _card(found, task, content, checked, name or target.stem)}))
    return target


def _adapter(source: Any) -> str:
    if isinstance(source, str | Path):
        return "onnx_file"
    packages = {kind.__module__.partition(".")[0] for kind in type(source).__mro__}
    for package, adapter in ADAPTERS.items():
        if package in packages:
            return adapter
    raise LinnetError(f"{type(source).__module__}.{type(source).__name__} cannot be adopted; it must come from "
                      f"{', '.join(ADAPTERS)}, or be the path of an ONNX file.")


def _samples(task: Task, samples: Arrays | Dataset | None) -> tuple[Arrays, list[str]]:
    """Input arrays, and what each sample is called."""
    if isinstance(samples, Dataset):
        some = _spread(samples)
        return task.prepare(task.read(some)), [f"'{name}'" for name in some.ids]
    arrays = {name: values[:_SAMPLES] for name, values in (_made_up(task) if samples is None else samples).items()}
    return arrays, [str(number) for number in range(len(next(iter(arrays.values()))))]


def _spread(dataset: Dataset) -> Dataset:
    """So many rows of all of it, since rows are often sorted by what is asked."""
    count = min(_SAMPLES, len(dataset))
    return dataset.take([number * len(dataset) // count for number in range(count)])


def _made_up(task: Task) -> Arrays:
    """Sixteen samples of noise; a size that varies is 100."""
    random = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {}
    for name, (dtype, varying) in task.arrays.items():
        shape = (16, *(100 if size is None else size for size in varying))
        if dtype.startswith("float"):
            arrays[name] = random.standard_normal(shape).astype(dtype)
        elif dtype == "uint8":
            arrays[name] = random.integers(0, 256, shape, dtype=np.uint8)
        else:
            raise LinnetError(f"nothing can be made up for the array '{name}' ({dtype}): give samples, a dataset or "
                              "input arrays, on which the source and the file are asked.")
    return arrays


def _parity(content: bytes, found: Foreign, task: Task, arrays: Arrays,
            ids: Sequence[str]) -> tuple[Parity, NDArray[np.float64]]:
    """Ask both sides, and give the file's answers too.

    Probabilities are compared as such, scores relative to the largest one where that is above 1.
    """
    source = np.asarray(found.answers(arrays), dtype=np.float64)
    answers = said = np.asarray(run(content, arrays), dtype=np.float64)
    sizes = zip(task.output[1], source.shape[1:], strict=False)
    wanted = (len(ids), *(given if size is None else size for size, given in sizes))
    if source.shape != wanted or answers.shape != wanted:
        raise LinnetError(f"for {len(ids)} samples the task asks for {task.output[0]} of shape {wanted}; "
                          f"{found.described} answers in the shape {source.shape}, its graph in {answers.shape}.")
    changed = int((_choice(answers) != _choice(source)).any(axis=-1).sum())
    if found.scale == "probabilities":
        answers, source = np.exp(answers), np.maximum(source, TINY)
    tolerance = FLOAT_TOLERANCE * max(1.0, float(np.abs(source).max()))
    differences = np.abs(answers - source).reshape(len(ids), -1).max(axis=1)
    worst = int(np.argmax(np.where(np.isfinite(differences), differences, np.inf)))
    if not differences[worst] <= tolerance:
        raise LinnetError(f"the file does not answer as {found.framework} does: at sample {ids[worst]} one of its "
                          f"{found.scale} differs by {differences[worst]:.3g}, at most {tolerance:.3g} is allowed; "
                          f"{int((~(differences <= tolerance)).sum())} of {len(ids)} samples differ. Nothing was "
                          "written.")
    return Parity(compared_with=f"{found.framework} {found.version}", samples=len(ids),
                  largest_difference=float(differences[worst]), tolerance=tolerance, answers_changed=changed), said


def _choice(values: NDArray[np.float64]) -> NDArray[Any]:
    """What is answered: the largest of several, one row a sample; numbers are compared as they are."""
    return values.argmax(axis=-1).reshape(len(values), -1) if values.shape[-1] > 1 else np.zeros((len(values), 1))


def _card(found: Foreign, task: Task, content: bytes, checked: Parity, name: str) -> str:
    output, shape = task.output
    card = Card(
        name=name, task=task.to_json(), labels=task.labels, parameters=stored_numbers(found.graph),
        input={key: ArraySpec(dtype=dtype, shape=size) for key, (dtype, size) in task.arrays.items()},
        output={output: ArraySpec(dtype="float32", shape=shape)},
        model={"family": found.framework, "source": found.described, "version": found.version},
        realised=realised(content, quantized=False), parity=checked, linnet_version=__version__)
    return card.to_json()
