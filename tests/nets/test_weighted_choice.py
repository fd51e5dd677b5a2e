from __future__ import annotations

import torch
from torch import nn

from lnas.nets.choice import OperationChoice
from lnas.nets.weighted_choice import WeightedChoice, scaled, weighted_choices

NAMES = ("none", "twice", "relu")
X = torch.tensor([-1.0, 2.0])


class Twice(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


def choice() -> OperationChoice:
    made = {"none": None, "twice": Twice(), "relu": nn.ReLU()}
    return OperationChoice((0, 1, 2), NAMES, made.__getitem__)


def test_a_factor_counts_inside_the_block_only_and_has_a_gradient() -> None:
    module, factor = choice(), torch.tensor(3.0, requires_grad=True)
    pick = WeightedChoice(1, factor)
    assert pick == 1
    assert module(X, pick).tolist() == [-2, 4]
    with weighted_choices(nn.ModuleList([module])):
        output = module(X, pick)
        assert output.tolist() == [-6, 12]
        assert module(X, 1).tolist() == [-2, 4]
        assert module(X, torch.tensor([0.0, 1.0, 1.0])).tolist() == [-2, 6]
    output.sum().backward()
    assert factor.grad == 2
    assert not module._forward_hooks


def test_any_pick_is_scaled() -> None:
    module, factor = choice(), torch.tensor(0.5)
    picks = (2, WeightedChoice(2, torch.tensor(4.0)), torch.tensor([0.2, 0.5, 0.0]))
    with weighted_choices(module):
        found = [module(X, scaled(pick, factor)).tolist() for pick in picks]
    assert found == [[0, 1], [0, 4], [-0.5, 1]]
