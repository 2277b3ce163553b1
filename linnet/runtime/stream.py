"""Stream: a sound goes in as it comes, and answers come out; what the file must remember is kept here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.runtime.card import GIVEN_ON, KEPT
from linnet.runtime.engines import Session, onnxruntime
from linnet.runtime.fixed import with_sizes
from linnet.runtime.inputs import LENGTHS, beginning
from linnet.runtime.shipped import Shipped
from linnet.tasks import Arrays

_AUDIO = "audio"


_UNWANTED = ("MatMulAddFusion",)
"""Where sizes are known, it makes one float operator of a product and a sum before they become products in 8 bits."""


@lru_cache(maxsize=8)
def _started(model: bytes, threads: int) -> Session:
    """The streams of one file share a session."""
    return onnxruntime.load(model, threads=threads, without=_UNWANTED)


@dataclass(eq=False)
class Stream:
    """A streaming file that is being spoken to: one sound, from `reset` to `finish`.

    The file hears so many samples at a time (`block_samples`: its card's step times `steps`), however many `update` is
    given, so that the answers do not depend on the chunks: they are those of the whole recording. More `steps` cost
    less for each second and answer later. The buffers are made once.
    """

    shipped: Shipped
    steps: int = 1
    filled: int = field(default=0, init=False)
    heard: int = field(default=0, init=False)
    """How many samples came since the beginning."""

    def __post_init__(self) -> None:
        card = self.shipped.card
        if card.step_samples is None:
            raise LinnetError(f"{self.shipped.path.name} takes no stream: its network hears the future. Export a "
                              "model that was built with causal: true.")
        if self.steps < 1:
            raise LinnetError(f"steps is how many steps are heard at a time, 1 or more; got {self.steps}.")
        self.step_samples = card.step_samples
        self.block_samples = self.steps * card.step_samples
        self.is_pooled = len(next(iter(card.output.values())).shape) == 1
        self._block = np.zeros((1, self.block_samples), np.float32)
        self._zeros = beginning(self.shipped.session.inputs)
        self._inputs: dict[str, NDArray[np.generic]] = {_AUDIO: self._block}
        self._session = self._for_blocks()
        self.reset()

    @property
    def sample_rate_hz(self) -> int:
        """The rate at which samples are expected."""
        return int(getattr(self.shipped.task, "sample_rate_hz"))  # noqa: B009

    def reset(self) -> None:
        """Forget everything: what comes next is the beginning of another sound."""
        self.filled = self.heard = 0
        self._inputs.update(self._zeros)

    def update(self, samples: NDArray[np.float32]) -> Arrays | None:
        """Hear (n,) float32 in [-1, 1], any n: the answers that became due, None where none did.

        One a frame, (1, frames, tokens), as the file gives them; where it answers once, (answers, classes): what it
        made of all so far, or of as much as its task's window lasts, an answer a block. Raises LinnetError for samples
        that are no numbers, and then remembers what came before them.
        """
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise LinnetError(f"a stream takes samples (n,) float32; received {samples.shape} {samples.dtype}. "
                              "Divide 16-bit samples by 32768.")
        if not math.isfinite(float(samples.sum())):
            raise LinnetError("a stream cannot hear NaN or infinite samples; nothing of this chunk was heard.")
        answers, start = [], 0
        while start < len(samples):
            count = min(self.block_samples - self.filled, len(samples) - start)
            self._block[0, self.filled : self.filled + count] = samples[start : start + count]
            self.filled += count
            start += count
            if self.filled == self.block_samples:
                answers.append(self._run(self._session, self._inputs))
                self.filled = 0
        self.heard += len(samples)
        return self._joined(answers)

    def finish(self) -> Arrays | None:
        """The sound is over: the answers to what was left, silence behind it; None where nothing was. Then `reset`."""
        rest, self.heard = self.filled, 0
        if not rest:
            self.reset()
            return None
        whole = -(-rest // self.step_samples) * self.step_samples
        self._block[0, rest:whole] = 0
        inputs = {**self._inputs, _AUDIO: self._block[:, :whole]}
        if LENGTHS in self.shipped.card.input:
            inputs[LENGTHS] = self._length(rest)
        answer = self._run(self.shipped.session, inputs)
        self.reset()
        return answer

    def _for_blocks(self) -> Session:
        """The file for blocks of this length, all of them real samples; as it is for an engine that takes no bytes."""
        session = self.shipped.session
        lengths = {LENGTHS: self._length(self.block_samples)} if LENGTHS in self.shipped.card.input else {}
        if session.engine != "onnxruntime":
            self._inputs |= lengths
            return session
        sizes = {name: values.shape for name, values in {**self._inputs, **self._zeros}.items()}
        return _started(with_sizes(self.shipped.artifact.content, sizes, lengths), session.threads)

    def _length(self, samples: int) -> NDArray[np.generic]:
        return np.array([samples], self.shipped.card.input[LENGTHS].dtype)

    def _run(self, session: Session, inputs: Arrays) -> Arrays:
        """Ask the file; it goes on from here."""
        given = session.run(inputs)
        for name in self.shipped.card.state:
            self._inputs[KEPT + name] = given[GIVEN_ON + name]
        return {name: given[name] for name in self.shipped.card.output}

    def _joined(self, answers: list[Arrays]) -> Arrays | None:
        if len(answers) < 2:
            return answers[0] if answers else None
        return {name: np.concatenate([answer[name] for answer in answers], axis=0 if self.is_pooled else 1)
                for name in answers[0]}
