import numpy as np
import pytest
import torch
from torch.nn import functional

from linnet.errors import LinnetError
from linnet.train import losses

RNG = torch.Generator().manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=RNG)


def test_the_earth_mover_is_the_squared_distance_of_cumulated_probabilities() -> None:
    logits, targets = draw(5, 4), torch.tensor([0, 1, 2, 3, 1])
    probabilities = torch.softmax(logits, dim=1).numpy()
    by_hand = [((np.cumsum(row) - np.cumsum(np.eye(4)[target])) ** 2).sum()
               for row, target in zip(probabilities, targets.tolist(), strict=True)]
    assert losses.earth_mover(logits, targets, 0.0, {}).item() == pytest.approx(np.mean(by_hand), rel=1e-5)


def test_a_neighbouring_mark_costs_less_than_a_far_one() -> None:
    sure = 20 * torch.eye(5)
    costs = [losses.earth_mover(sure[[answer]], torch.tensor([0]), 0.0, {}).item() for answer in range(5)]
    assert costs == sorted(costs)
    assert costs[0] == pytest.approx(0, abs=1e-6)


def test_labels_that_are_questions_of_their_own() -> None:
    logits, targets = draw(6, 3), torch.tensor([[0, 1, 1], [1, 0, 0]] * 3)
    expected = functional.binary_cross_entropy_with_logits(logits, targets.float())
    assert torch.isclose(losses.binary_cross_entropy(logits, targets, 0.0, {}), expected)
    smooth = functional.binary_cross_entropy_with_logits(logits, targets * 0.8 + 0.1)
    assert torch.isclose(losses.binary_cross_entropy(logits, targets, 0.2, {}), smooth)


def test_positions_that_do_not_count_change_nothing() -> None:
    logits, targets = draw(2, 4, 3), torch.tensor([[0, 1, -100, -100], [2, 2, 1, -100]])
    counted = functional.cross_entropy(logits[targets != -100], targets[targets != -100])
    assert torch.isclose(losses.token_cross_entropy(logits, targets, 0.0, {}), counted)
    assert losses.terms("token_cross_entropy", targets) == 5
    nothing = losses.token_cross_entropy(logits, torch.full((2, 4), -100), 0.0, {})
    assert nothing.item() == 0


def test_ctc_is_the_sum_over_alignments() -> None:
    logits = draw(1, 2, 3)
    chance = logits.softmax(dim=2)[0]
    alignments = chance[0, 1] * chance[1, 1] + chance[0, 1] * chance[1, 0] + chance[0, 0] * chance[1, 1]
    assert losses.ctc(logits, torch.tensor([[1, -1]]), 0.0, {}).item() == pytest.approx(-alignments.log().item())


def test_ctc_with_blank_frames_behind_the_end_is_that_of_the_shorter_recording() -> None:
    logits, targets = draw(1, 5, 4), torch.tensor([[1, 2]])
    for least in (-1e4, -torch.inf):
        blank = torch.full((1, 3, 4), least)
        blank[:, :, 0] = 0
        padded = torch.cat([logits, blank], dim=1).requires_grad_()
        loss = losses.ctc(padded, targets, 0.0, {})
        assert torch.isclose(loss, losses.ctc(logits, targets, 0.0, {}))
        loss.backward()
        assert padded.grad is not None
        assert padded.grad.isfinite().all()


def test_ctc_refuses_more_to_say_than_there_are_frames() -> None:
    with pytest.raises(LinnetError, match="1 of 2 recordings of a batch are too short"):
        losses.ctc(draw(2, 3, 4), torch.tensor([[1, 2, 1, 2], [1, -1, -1, -1]]), 0.0, {})


def test_huber_takes_any_numbers() -> None:
    values, targets = torch.tensor([[0.0], [0.0]]), np.array([[0.5], [3.0]])
    assert losses.huber(values, torch.from_numpy(targets), 0.0, {}).item() == pytest.approx((0.125 + 2.5) / 2)


@pytest.mark.parametrize(("loss", "shape"), [("cross_entropy", (4, 3)), ("binary_cross_entropy", (4, 3)),
                                             ("earth_mover", (4, 3)), ("token_cross_entropy", (4, 5, 3)),
                                             ("ctc", (4, 5, 3)), ("huber", (4, 2))])
def test_a_student_that_answers_as_its_teacher_has_nothing_to_learn(loss: str, shape: tuple[int, ...]) -> None:
    answers, targets = draw(*shape), torch.zeros(shape[:2], dtype=torch.int64)
    outputs = answers.clone().requires_grad_()
    losses.distillation(loss, outputs, answers, targets, 2.0).backward()
    assert outputs.grad is not None
    assert outputs.grad.abs().max() < 1e-6
    other = losses.distillation(loss, answers + draw(*shape), answers, targets, 2.0)
    assert other > losses.distillation(loss, answers, answers, targets, 2.0)


def test_distillation_ignores_positions_that_do_not_count() -> None:
    outputs, answers = draw(1, 3, 4), draw(1, 3, 4)
    targets = torch.tensor([[1, 2, -100]])
    whole = losses.distillation("token_cross_entropy", outputs, answers, targets, 1.0)
    outputs[0, 2] += 5 * draw(4)
    assert torch.equal(whole, losses.distillation("token_cross_entropy", outputs, answers, targets, 1.0))


def test_distillation_survives_what_is_impossible() -> None:
    certain = torch.tensor([[[0.0, -torch.inf, -torch.inf]]])
    assert losses.distillation("ctc", certain, certain, torch.zeros(1, 1), 2.0).item() == 0
