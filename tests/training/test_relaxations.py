from __future__ import annotations

from typing import Any

import pytest
import torch

from lnas.errors import UsageError
from lnas.nets.weighted_choice import WeightedChoice
from lnas.training.relaxations import GumbelChoice, Softmax

CHOICES = (0, 2, 3)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_mixture_of_darts() -> None:
    logits = torch.tensor([0.0, 1.0, 0.0]).log()
    pick = Softmax().pick(torch.tensor([1.0, 2.0, 5.0]).log(), CHOICES, 0.3, generator())
    assert pick.tolist() == pytest.approx([0.125, 0.25, 0.625])
    assert Softmax().pick(logits, CHOICES, 0.3, generator()).tolist() == [0, 1, 0]


def test_a_choice_is_1_forward_and_its_soft_share_backward() -> None:
    """Beside the paper's formula, with the noise of the same generator."""
    logits = torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64, requires_grad=True)
    relaxation, picks = GumbelChoice(start=4.0, end=2.0), set()
    for seed in range(9):
        pick = relaxation.pick(logits, CHOICES, 0.5, generator(seed))
        noise = -torch.empty(3, dtype=torch.float64).exponential_(generator=generator(seed)).log()
        soft = torch.softmax((torch.log_softmax(logits, 0) + noise) / 3.0, 0)
        assert isinstance(pick, WeightedChoice)
        assert pick == CHOICES[int(soft.argmax())]
        assert pick.weight == 1
        (found,) = torch.autograd.grad(pick.weight, logits, retain_graph=True)
        (expected,) = torch.autograd.grad(soft.max(), logits)
        torch.testing.assert_close(found, expected)
        assert found.any()
        picks.add(int(pick))
    assert picks == set(CHOICES)


def test_choices_are_drawn_by_their_probability_at_any_temperature() -> None:
    logits, source = torch.tensor([1.0, 3.0, 6.0]).log(), generator()
    for relaxation in (GumbelChoice(), GumbelChoice(0.1, 0.1)):
        drawn = [relaxation.pick(logits, CHOICES, 1.0, source) for _ in range(2000)]
        shares = [drawn.count(choice) / 2000 for choice in CHOICES]
        assert shares == pytest.approx([0.1, 0.3, 0.6], abs=0.04)


def test_the_temperature_is_annealed() -> None:
    assert [GumbelChoice().temperature(progress) for progress in (0, 0.5, 1)] == pytest.approx([10, 5.05, 0.1])


@pytest.mark.parametrize("options", [{"start": 0.0}, {"end": -1.0}, {"end": float("nan")}, {"start": float("inf")}])
def test_a_temperature_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(options))} > 0"):
        GumbelChoice(**options)
