"""Memory that does not suffice, with networks that really have none above a size."""

import logging
from dataclasses import replace

import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.train import Options, memory


class Greedy(torch.nn.Module):
    """A linear network without batch statistics, which takes at most `most` rows at once."""

    def __init__(self, most: int, kind: str = "accelerator") -> None:
        super().__init__()
        self.most, self.kind = most, kind
        self.head = torch.nn.Linear(64, 2)
        for parameter in self.parameters():
            torch.nn.init.zeros_(parameter)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > self.most:
            if self.kind == "processor":
                torch.empty(1 << 60)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7.00 GiB.")
        logits: torch.Tensor = self.head(images.flatten(1).float() / 255)
        return logits


def model(task: tasks.Task, most: int, kind: str = "accelerator") -> nn.Model:
    spec = {"family": "greedy", "inputs": [{"name": "image", "dtype": "uint8", "shape": [8, 8, 1]}],
            "output": {"name": "logits", "shape": [2]}, "layers": []}
    return nn.Model(Greedy(most, kind), spec)


@pytest.mark.parametrize("kind", ["accelerator", "processor"])
def test_a_batch_that_does_not_fit_is_taken_in_pieces_to_the_same_end(
        kind: str, squares: data.Splits, caplog: pytest.LogCaptureFixture) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    options = Options(batch=32, device="cpu", keep="last", optimizer="sgd")
    with caplog.at_level(logging.WARNING):
        small = train.fit(model(task, 10, kind), task, squares, epochs=2, options=options)
    assert caplog.text.count("the memory does not suffice for a batch of 32") == 2  # 16 are too many as well
    assert "in pieces of 8" in caplog.text
    assert "batch=8, accumulate=4 asks for the same" in caplog.text
    assert small.notes["pieces"].startswith("each batch was taken in 4 pieces")
    large = train.fit(model(task, 32), task, squares, epochs=2, options=options)
    assert "pieces" not in large.notes
    for one, other in zip(small.module.parameters(), large.module.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    assert small.history[-1]["train_loss"] == pytest.approx(large.history[-1]["train_loss"], rel=1e-5)


class Never(Greedy):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7.00 GiB.")


def test_a_sample_that_does_not_fit_is_an_error(squares: data.Splits) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    with pytest.raises(LinnetError, match=r"does not suffice for a single sample.*7\.00 GiB"):
        train.fit(replace(model(task, 0), module=Never(0)), task, squares, epochs=1,
                  options=Options(batch=4, device="cpu"))


def test_other_errors_are_no_lack_of_memory() -> None:
    assert not memory.is_exhausted(RuntimeError("shapes do not match"))
    assert memory.is_exhausted(MemoryError())
