import numpy as np
import pytest
import torch

from linnet import data, export, nn, runtime, tasks, train
from linnet.errors import LinnetError

pytest.importorskip("opacus")
OPTIONS = train.Options(learning_rate=0.5, weight_decay=0.0, batch=72, optimizer="sgd", schedule="constant",
                        label_smoothing=0.0, keep="last", device="cpu")


class Small(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Linear(64, 8), torch.nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x.flatten(1))))


class Mixing(Small):
    """Every sample sees the mean of its batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x - x.mean(dim=0))


@pytest.fixture(scope="module")
def task(squares: data.Splits) -> tasks.Classify:
    return tasks.Classify(squares, input="image", target="side")


def small(task: tasks.Classify, kind: type[torch.nn.Module] = Small) -> nn.Model:
    torch.manual_seed(0)
    return nn.own(kind(), task)


def fitted(model: nn.Model, task: tasks.Classify, squares: data.Splits, *, seed: int | None = 0,
           epsilon: float = 8.0, epochs: int = 10, options: train.Options = OPTIONS) -> nn.Model:
    return train.fit_privately(model, task, squares, budget=train.Budget(epsilon=epsilon, delta=1e-3), epochs=epochs,
                               seed=seed, options=options)


def test_it_learns_within_the_budget_that_its_file_tells(task: tasks.Classify, squares: data.Splits, tmp_path) -> None:
    start = small(task)
    model = fitted(start, task, squares, epochs=20)
    assert tasks.evaluate(model, task, squares.test).mean > 0.9
    privacy = runtime.load(export.write(model, task, tmp_path / "file.onnx")).card.training["privacy"]
    assert 7.5 < privacy["epsilon"] <= 8.0
    assert privacy["delta"] == 1e-3
    assert privacy["steps"] == 20
    assert start.identity != model.identity


def test_the_epsilon_is_that_of_an_accountant_asked_anew(task: tasks.Classify, squares: data.Splits) -> None:
    from opacus.accountants import RDPAccountant

    told = fitted(small(task), task, squares).notes["privacy"]
    assert told["accountant"] == "rdp"
    other = RDPAccountant()
    for _ in range(told["steps"]):
        other.step(noise_multiplier=told["noise_multiplier"], sample_rate=told["sampling_rate"])
    assert other.get_epsilon(delta=told["delta"]) == pytest.approx(told["epsilon"])


def test_nothing_of_the_training_samples_is_told_without_noise(task: tasks.Classify, squares: data.Splits) -> None:
    model = fitted(small(task), task, squares, seed=None, epochs=1)
    assert squares.train.fingerprint not in str(model.notes)
    assert all("train" not in name for row in model.history for name in row)
    assert "seed" not in model.notes
    assert model.notes["privacy"]["randomness"] == "drawn from the system"
    assert "take the noise away" in fitted(small(task), task, squares, epochs=1).notes["privacy"]["randomness"]


def test_a_smaller_epsilon_means_more_noise_no_seed_other_weights(task: tasks.Classify, squares: data.Splits) -> None:
    loose, tight = (fitted(small(task), task, squares, epsilon=epsilon, epochs=2) for epsilon in (8.0, 1.0))
    assert tight.notes["privacy"]["noise_multiplier"] > 2 * loose.notes["privacy"]["noise_multiplier"]
    assert fitted(small(task), task, squares, epochs=2).identity == loose.identity
    drawn = {fitted(small(task), task, squares, seed=None, epochs=1).identity for _ in range(2)}
    assert len(drawn) == 2


def test_a_step_adds_the_noise_that_was_counted(task: tasks.Classify, squares: data.Splits) -> None:
    # so small a budget for one step that what moves the weights is nearly all noise
    start = small(task)
    options = train.Options(**{**vars(OPTIONS), "learning_rate": 1.0})
    model = train.fit_privately(start, task, squares, budget=train.Budget(0.05, 1e-3, clip=0.01), epochs=1, seed=3,
                                options=options)
    moved = np.concatenate([(after - before).detach().numpy().ravel() for after, before in zip(
        model.module.parameters(), start.module.parameters(), strict=True)])
    told = model.notes["privacy"]
    # Nesterov's first step is 1.9 times the gradient
    expected = 1.9 * told["noise_multiplier"] * 0.01 / (told["sampling_rate"] * told["samples"])
    assert told["sampling_rate"] == 1.0
    assert moved.std() == pytest.approx(expected, rel=0.15)


def test_convolutions_get_their_gradients_right_with_group_normalisation(
        task: tasks.Classify, squares: data.Splits, tmp_path) -> None:
    model = nn.with_group_norm(nn.zoo.smallcnn(task, width=4))
    # images come with the channels last in memory, which Opacus by itself gets wrong
    made = fitted(model, task, squares, epochs=1)
    nn.save(made, tmp_path)
    assert nn.load(tmp_path).identity == made.identity
    arrays = task.prepare(task.read(squares.test))
    file = runtime.load(export.write(made, task, tmp_path / "file.onnx"))
    assert np.abs(file(arrays)["logits"] - made(arrays)["logits"]).max() < 1e-4


@pytest.mark.parametrize(("model", "message"), [
    (lambda task: nn.zoo.smallcnn(task, width=4), "batch normalisation"),
    (lambda task: small(task, Mixing), "see each other"),
    (lambda task: small(task).__class__(small(task).module, small(task).spec, notes={"privacy": {}}), "learned from"),
])
def test_what_would_break_the_promise_is_refused(task: tasks.Classify, squares: data.Splits, model, message) -> None:
    with pytest.raises(LinnetError, match=message):
        fitted(model(task), task, squares, epochs=1)


def test_a_model_that_learned_from_the_same_data_is_refused(task: tasks.Classify, squares: data.Splits) -> None:
    before = train.fit(small(task), task, squares, epochs=1, options=train.Options(device="cpu"))
    with pytest.raises(LinnetError, match="learned from private data before"):
        fitted(before, task, squares)


@pytest.mark.parametrize(("options", "message"), [
    ({"mixup": 0.2}, "cannot honour mixup"), ({"optimizer": "muon"}, "sgd and adamw")])
def test_options_that_mix_samples_are_refused(task, squares, options, message) -> None:
    with pytest.raises(LinnetError, match=message):
        fitted(small(task), task, squares, options=train.Options(**{**vars(OPTIONS), **options}))


@pytest.mark.parametrize("wrong", [{"epsilon": 0}, {"epsilon": float("nan")}, {"delta": 1.0}, {"clip": -1}])
def test_a_budget_is_checked(wrong) -> None:
    with pytest.raises(LinnetError):
        train.Budget(**wrong)


def test_poisson_batches_some_of_them_empty_spend_what_is_told(task: tasks.Classify, squares: data.Splits) -> None:
    model = fitted(small(task), task, squares, options=train.Options(**{**vars(OPTIONS), "batch": 1}), epochs=1)
    told = model.notes["privacy"]
    assert (told["steps"], told["accountant"]) == (len(squares.train), "prv")
    assert 7.0 < told["epsilon"] <= 8.0
    assert np.isfinite(model.history[-1]["validation_loss"])


def test_a_delta_that_gives_samples_away_and_a_seed_that_is_none_are_refused(task, squares) -> None:
    with pytest.raises(LinnetError, match="below one in the number of samples"):
        train.fit_privately(small(task), task, squares, budget=train.Budget(delta=0.5), epochs=1, options=OPTIONS)
    with pytest.raises(LinnetError, match="seed"):
        fitted(small(task), task, squares, seed=-1, epochs=1)
