"""Classify: one label for a recording or an image."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, Media, Splits, describe_audio, resample
from linnet.errors import LinnetError
from linnet.tasks.task import Arrays

log = logging.getLogger("linnet")


@dataclass(frozen=True, init=False)
class Classify:
    """One label for a recording or an image.

    `Classify(splits, input="audio", target="digit")` reads the labels, the sample rate and the length of the window
    from the training part; `from_json` makes the same task again without data.
    """

    input: str
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    arrays: Mapping[str, tuple[str, tuple[int, ...]]]
    sample_rate_hz: int | None

    kind = "classify"
    loss = "cross_entropy"

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, groups: Sequence[str] = (),
                 seconds: float | None = None, sample_rate_hz: int | None = None) -> None:
        parts = [data] if isinstance(data, Dataset) else [data.train, data.validation, data.test]
        for name in (input, target, *groups):
            parts[0].column(name)
        labels = _labels(parts, target)
        kind = parts[0].column(input).kind
        if kind == "audio":
            rate = _common_rate(parts, input, sample_rate_hz)
            spec: tuple[str, tuple[int, ...]] = ("float32", (_window(parts, input, seconds, rate),))
        elif kind == "image":
            rate, spec = None, ("uint8", _common_shape(parts[0], input))
        else:
            raise LinnetError(f"Classify takes a column of sounds or images as input; '{input}' holds {kind}s.")
        self._set(input, target, tuple(groups), labels, {kind: spec}, rate)

    def _set(self, input: str, target: str, groups: tuple[str, ...], labels: tuple[str, ...],
             arrays: Mapping[str, tuple[str, tuple[int, ...]]], sample_rate_hz: int | None) -> None:
        values = {"input": input, "target": target, "groups": groups, "labels": labels, "arrays": arrays,
                  "sample_rate_hz": sample_rate_hz}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The column that goes in."""
        return (self.input,)

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return "recordings" if "audio" in self.arrays else "images"

    @property
    def output(self) -> tuple[str, tuple[int, ...]]:
        """One logit a label."""
        return "logits", (len(self.labels),)

    @property
    def samples(self) -> int:
        """Length of the audio window in samples."""
        return self.arrays["audio"][1][0]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images."""
        height, width, channels = self.arrays["image"][1]
        return height, width, channels

    def read(self, dataset: Dataset) -> list[Media]:
        """Every decoded sample, in the order of the rows."""
        return dataset.decode(self.input)

    def prepare(self, media: Sequence[Media]) -> Arrays:
        """Sounds to (batch, samples) float32, or images to (batch, height, width, channels) uint8.

        A sound at another rate is resampled; a longer one keeps its middle, a shorter one is padded with silence on
        both sides. Images of another size are resized, of another number of channels refused.
        """
        if "audio" in self.arrays:
            return {"audio": np.stack([self._window(sound) for sound in media])}
        return {"image": np.stack([_fit_image(picture, self.image_shape) for picture in media])}

    def _window(self, sound: Media) -> NDArray[np.float32]:
        if not isinstance(sound, Audio):
            raise LinnetError("this task takes sounds; it was given an image.")
        assert self.sample_rate_hz is not None
        samples = resample(sound, self.sample_rate_hz).samples
        missing = self.samples - len(samples)
        if missing < 0:
            return samples[-missing // 2 : -missing // 2 + self.samples]
        return np.pad(samples, (missing // 2, missing - missing // 2))

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """The index of each row's label. Labels that the task does not know are refused and listed."""
        index = {label: number for number, label in enumerate(self.labels)}
        values = [str(value) for value in dataset.values(self.target)]
        strange = sorted(set(values) - set(index))
        if strange:
            raise LinnetError(f"column '{self.target}' of the {dataset.part or 'given'} data holds labels that the "
                              f"task does not know: {', '.join(strange[:10])}. It knows: {', '.join(self.labels)}.")
        return np.array([index[value] for value in values], dtype=np.int64)

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's label."""
        return [str(value) for value in dataset.values(self.target)]

    def decode(self, outputs: Arrays, samples: Sequence[Media] = ()) -> list[str]:
        """The label with the largest logit, one a row."""
        del samples
        return [self.labels[number] for number in np.argmax(outputs["logits"], axis=1)]

    def probabilities(self, outputs: Arrays) -> NDArray[np.float64]:
        """Softmax of the logits, (batch, classes). They are not calibrated."""
        logits = outputs["logits"].astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def score(self, answers: Sequence[str], targets: Sequence[str]) -> NDArray[np.float64]:
        """1 where the answer is the target, else 0."""
        return np.array([float(a == t) for a, t in zip(answers, targets, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """Nothing beyond the share of right answers."""
        del answers, expected
        return {}

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "input": self.input, "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "sample_rate_hz": self.sample_rate_hz,
                "arrays": {name: {"dtype": kind, "shape": list(size)} for name, (kind, size) in self.arrays.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Classify:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        try:
            arrays = {str(name): (str(spec["dtype"]), tuple(int(size) for size in spec["shape"]))
                      for name, spec in value["arrays"].items()}
            rate = value["sample_rate_hz"]
            task._set(str(value["input"]), str(value["target"]), tuple(map(str, value["groups"])),
                      tuple(map(str, value["labels"])), arrays, None if rate is None else int(rate))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LinnetError(f"this describes no classification task: {error!r} is missing or off.") from error
        return task


def _labels(parts: Sequence[Dataset], target: str) -> tuple[str, ...]:
    seen = [{str(value) for value in part.values(target)} for part in parts]
    every, train = sorted(set().union(*seen)), seen[0]
    missing = [label for label in every if label not in train]
    if missing:
        raise LinnetError(f"labels of '{target}' without a sample in the training part: {', '.join(missing)}. "
                          "Give the training part samples of them, or leave them out with where(...).")
    if len(every) < 2:
        raise LinnetError(f"column '{target}' holds {len(every)} label(s); a classifier needs at least two.")
    for part, labels in zip(parts[1:], seen[1:], strict=True):
        absent = [label for label in every if label not in labels]
        if absent:
            log.warning("no sample of %s in the %s part: nothing can be said about it there.",
                        ", ".join(absent), part.part)
    return tuple(every)


def _common_rate(parts: Sequence[Dataset], column: str, wanted: int | None) -> int:
    """The rate asked for, else the most frequent one of the training part; what has to be resampled is said."""
    if wanted is not None and wanted < 1:
        raise LinnetError(f"sample_rate_hz must be at least 1 Hz; got {wanted}.")
    summaries = [describe_audio(part, column) for part in parts]
    rates = Counter[int]()
    for (rate_hz, _), count in summaries[0].formats.items():
        rates[rate_hz] += count
    rate = wanted or rates.most_common(1)[0][0]
    for part, summary in zip(parts, summaries, strict=True):
        if changes := summary.changes_to(rate):
            log.warning("%s: %s.", part.part or part.name, changes)
    return rate


def _window(parts: Sequence[Dataset], column: str, wanted: float | None, rate_hz: int) -> int:
    """The window in samples: as asked for, else one that holds 99 of 100 training recordings whole; cuts are said.

    What is not asked for is rounded up to a tenth of a second.
    """
    lengths = [describe_audio(part, column).seconds for part in parts]
    seconds = math.ceil(10 * float(np.quantile(lengths[0], 0.99))) / 10 if wanted is None else wanted
    samples = round(seconds * rate_hz)
    if samples < 1:
        raise LinnetError(f"seconds is the length of the window, at least one sample at {rate_hz} Hz; got {seconds}.")
    for part, found in zip(parts, lengths, strict=True):
        if longer := sum(length > samples / rate_hz for length in found):
            log.warning("%s: %d of %d recordings are longer than the window of %g s: only their middle is heard.",
                        part.part or part.name, longer, len(found), seconds)
    return samples


def _common_shape(dataset: Dataset, column: str) -> tuple[int, ...]:
    shapes = [picture.shape for picture in dataset.decode(column) if not isinstance(picture, Audio)]
    shape = max(set(shapes), key=shapes.count)
    other = sum(value != shape for value in shapes)
    if other:
        log.warning("%d of %d training images are not %d x %d: they are resized.", other, len(shapes), *shape[:2])
    return tuple(int(size) for size in shape)


def _fit_image(picture: Media, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    if isinstance(picture, Audio):
        raise LinnetError("this task takes images; it was given a sound.")
    if picture.shape == shape:
        return picture
    if picture.shape[2] != shape[2]:
        raise LinnetError(f"an image has {picture.shape[2]} channel(s), the task takes {shape[2]}; convert it first.")
    from PIL import Image

    squeezed = picture[:, :, 0] if shape[2] == 1 else picture
    resized = Image.fromarray(squeezed).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8).reshape(shape)
