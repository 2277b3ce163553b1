"""What a network is worth on the validation part: its loss, and the share of right answers."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from linnet.data import Dataset
from linnet.tasks import Task
from linnet.train import memory
from linnet.train.losses import LOSSES, terms
from linnet.train.options import Options
from linnet.train.precision import computing
from linnet.train.samples import gather, varies

_BATCH = 256


class Validation:
    """Judges a network on one part of the data, a batch at a time; similar lengths together."""

    def __init__(self, task: Task, dataset: Dataset, options: Options) -> None:
        self._task, self._options = task, options
        self.samples = gather(task, dataset, cache=options.cache,
                              as_samples=task.kind in ("tag", "transcribe", "assess", "understand"))
        self.targets, self._expected = task.targets(dataset), task.expected(dataset)
        self._size = min(_BATCH, options.batch) if varies(task) else _BATCH
        sizes = self.samples.sizes
        self._order = np.arange(len(dataset))
        if varies(task) and sizes is not None:
            self._order = np.argsort(sizes, kind="stable")

    def __call__(self, module: nn.Module, device: torch.device) -> tuple[float, float]:
        """The mean loss without smoothing, and the mean of the task's scores; fewer at once where memory is short."""
        while True:
            try:
                return self._judge(module, device)
            except Exception as error:
                if self._size == 1 or not memory.is_exhausted(error):
                    raise
                memory.free(device)
                self._size //= 2

    @torch.no_grad()
    def _judge(self, module: nn.Module, device: torch.device) -> tuple[float, float]:
        task = self._task
        total, counted, scores = 0.0, 0, np.zeros(len(self._expected))
        module.eval()
        for start in range(0, len(self._order), self._size):
            rows = self._order[start : start + self._size]
            arrays = self.samples.arrays(rows)
            inputs = {name: torch.from_numpy(np.ascontiguousarray(values)).to(device)
                      for name, values in arrays.items()}
            with computing(device, self._options.precision):
                outputs = module(*(inputs[name] for name in task.arrays))
            outputs, targets = outputs.float(), torch.from_numpy(self.targets[rows]).to(device)
            count = terms(task.loss, targets)
            total += float(LOSSES[task.loss](outputs, targets, 0.0, inputs)) * count
            counted += count
            answers = task.decode({task.output[0]: outputs.cpu().numpy()}, self.samples.read(rows))
            scores[rows] = task.score(answers, [self._expected[row] for row in rows])
        return total / max(1, counted), float(scores.mean())
