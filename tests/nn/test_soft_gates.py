"""Gates are open, cost, and close: what is left fits the budget."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from linnet.errors import LinnetError
from linnet.nn import soft
from linnet.nn.soft import Budget, Gates


def gates(*scores: float, axis: int = 1) -> Gates:
    made = Gates(len(scores), axis=axis)
    with torch.no_grad():
        made.scores.copy_(torch.tensor(scores))
    return made


def test_the_gate_is_the_papers() -> None:
    """Louizos et al. 2018, equations 10 and 11, with the median of the noise."""
    scores = np.linspace(-1, 1, 11)
    stretched = 1 / (1 + np.exp(-10 * scores)) * (1.1 + 0.1) - 0.1
    np.testing.assert_allclose(gates(*scores).values().detach().numpy(), np.minimum(1, np.maximum(0, stretched)),
                               atol=1e-6)


def test_the_gradient_where_it_is_smooth() -> None:
    made = gates(-0.15, 0.0, 0.1).double()
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda y, scores: torch.func.functional_call(made, {"scores": scores}, (y,)), (x, made.scores))


@pytest.mark.parametrize("axis", [1, -1])
def test_gates_stand_on_their_axis(axis: int) -> None:
    made = gates(-1.0, 1.0, 1.0, axis=axis)
    answer = made(torch.ones(2, 3, 3))
    assert torch.equal(answer.select(axis, 0), torch.zeros(2, 3))
    assert torch.equal(answer.select(axis, 1), torch.ones(2, 3))


def test_fresh_gates_are_open_the_better_ones_further() -> None:
    made = Gates(3, importance=torch.tensor([1.0, 4.0, 2.0]))
    assert torch.equal(made.values(), torch.ones(3))
    assert made.scores.argsort().tolist() == [0, 2, 1]


def test_the_price_is_what_lies_beyond_the_budget() -> None:
    first, second = gates(0.1, 0.2), gates(-0.1, 0.0, 0.3)
    budget = Budget([first, second], {(0,): 5.0, (0, 1): 2.0}, most=10.0, price=3.0, ramp=0.5)
    budget.advance(0.25)
    counts = [1 / (1 + np.exp(-10 * g.scores.detach().numpy())) for g in (first, second)]
    spent = 5 * counts[0].sum() + 2 * counts[0].sum() * counts[1].sum()
    assert float(budget.penalty().detach()) == pytest.approx(3 * 0.5 * (spent / 10 - 1))
    scores = (first.scores, second.scores)
    budget.penalty().backward()
    assert all((g.grad > 0).all() for g in scores)
    assert float(Budget([first], {(0,): 1.0}, most=5.0).penalty().detach()) == 0
    assert float(soft.penalty(budget).detach()) == pytest.approx(float(budget.penalty().detach()))


def test_the_most_open_gates_stay_that_there_is_room_for() -> None:
    first, second = gates(0.1, 0.4, 0.2), gates(0.5, 0.6)
    budget = Budget([first, second], {(0,): 1.0, (1,): 3.0}, most=5.5, settles=0.5)
    budget.advance(0.4)
    assert not budget.is_settled
    budget.advance(0.5)
    assert budget.is_settled
    assert first.values().tolist() == [0, 1, 1]
    assert second.values().tolist() == [0, 1]
    assert float(budget.penalty().detach()) == 0


def test_costs_that_multiply() -> None:
    first, second = gates(0.4, 0.3, 0.2), gates(0.35, 0.25)
    budget = Budget([first, second], {(0, 1): 1.0}, most=4.0)
    budget.advance(1.0)
    assert (int(first.kept.sum()), int(second.kept.sum())) == (2, 2)


def test_a_copy_has_gates_of_its_own() -> None:
    module = torch.nn.Module()
    module.gates = gates(0.1, 0.2)
    module.budget = Budget([module.gates], {(0,): 1.0}, most=1.0)
    other = copy.deepcopy(module)
    soft.advance(other, 1.0)
    assert other.gates.values().tolist() == [0, 1]
    assert not bool(module.gates.hard)


def test_compiled_gates_harden() -> None:
    made = gates(0.0, 0.2, -0.3)
    fast = torch.compile(made, backend="eager", fullgraph=True)
    x = torch.randn(2, 3, 4)
    assert torch.allclose(fast(x), made(x))
    made.harden(torch.tensor([True, False, True]))
    assert torch.equal(fast(x), x * torch.tensor([1.0, 0, 1])[:, None])


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(LinnetError, match="at least one channel"):
        Gates(0)
    with pytest.raises(LinnetError, match="each of the 2 gates"):
        Budget([gates(0.1), gates(0.1)], {(0,): 1.0}, most=1.0)
    with pytest.raises(LinnetError, match="above 0"):
        Budget([gates(0.1)], {(0,): 1.0}, most=0.0)
