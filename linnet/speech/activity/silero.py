"""Silero's voice activity detector (MIT) as a peer: its ONNX file, where the user has it, run without its package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

FRAME_MS = 32.0
_INSTALL = ("Install it with `pip install --no-deps silero-vad` (its package needs torchaudio, its file does not), or "
            "give the path of silero_vad.onnx.")


class Silero:
    """How likely speech is, each 32 ms of sound at 8 or 16 kHz; what came before is remembered until `reset`."""

    def __init__(self, path: str | Path | None = None, *, sample_rate_hz: int = 16_000) -> None:
        import onnxruntime

        if sample_rate_hz not in (8000, 16_000):
            raise LinnetError(f"Silero hears 8000 or 16000 Hz; got {sample_rate_hz}. Resample the sound first.")
        self.sample_rate_hz = sample_rate_hz
        self.block = sample_rate_hz * 32 // 1000
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path or find()), options, providers=["CPUExecutionProvider"])
        self._rate = np.array(sample_rate_hz, np.int64)
        self.reset()

    def reset(self) -> None:
        """As if nothing had been heard."""
        self._state = np.zeros((2, 1, 128), np.float32)
        self._before = np.zeros((1, self.block // 8), np.float32)

    def posteriors(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n,) samples to (frames, 1), one frame each 32 ms; what is left over at the end is not heard."""
        heard = []
        for start in range(0, len(samples) - self.block + 1, self.block):
            block = np.concatenate([self._before, samples[None, start : start + self.block]], axis=1)
            answer, self._state = self._session.run(
                None, {"input": block, "state": self._state, "sr": self._rate})
            self._before = block[:, -self._before.shape[1] :]
            heard.append(float(answer[0, 0]))
        return np.array(heard)[:, None]


def find() -> Path:
    """The file in the installed package, which is not imported; raises LinnetError where there is none."""
    found = find_spec("silero_vad")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "data" / "silero_vad.onnx"
        if path.is_file():
            return path
    raise LinnetError(f"Silero's model is not on this machine. {_INSTALL}")
