import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.train import Options
from linnet.train.compiling import compiled

TORCHS_OWN = pytest.mark.filterwarnings("ignore:.*torch:DeprecationWarning")
"""The compiler's modules use what torch itself calls deprecated."""


@TORCHS_OWN
def test_without_a_compiler_there_is_one_clear_message() -> None:
    from torch._inductor import config

    with (config.patch({"cpp.cxx": ("there-is-no-such-compiler",), "force_disable_caches": True}),
          pytest.raises(LinnetError, match=r"torch\.compile does not work here .* or leave compile out")):
        compiled(torch.nn.Sigmoid())(torch.zeros(4, 3))


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*inputs: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch, "compile", lambda module: full)
    with pytest.raises(torch.OutOfMemoryError):
        compiled(torch.nn.Linear(3, 2))(torch.zeros(4, 3))


@TORCHS_OWN
@pytest.mark.slow
def test_compiled_it_learns_the_same(numbers: data.Splits) -> None:
    task = tasks.Classify(numbers, input=["length", "width"], target="size")
    model = nn.zoo.mlp(task, width=8, seed=0)
    plain, fast = (train.fit(model, task, numbers, epochs=2, options=Options(device="cpu", compile=compile))
                   for compile in (False, True))
    losses = [[row["train_loss"] for row in fitted.history] for fitted in (plain, fast)]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)  # dropout draws other numbers
    assert set(plain.module.state_dict()) == set(fast.module.state_dict())
