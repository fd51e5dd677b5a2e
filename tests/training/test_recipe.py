"""Recipes: optimizers, schedules, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from lnas.errors import UsageError
from lnas.training import Retraining
from lnas.training.recipe import check_retraining

EPOCHS = 4
RECIPE = Retraining(epochs=EPOCHS, lr=1.0, accelerator="cpu")


def rates(recipe: Retraining, steps: int) -> list[float]:
    """Return the learning rates of so many equal steps of a training, the first one included."""
    optimizer = recipe.make_optimizer([nn.Parameter(torch.zeros(1))])
    scheduler = recipe.make_schedule(optimizer)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        if scheduler is not None:
            scheduler.step((step + 1) * recipe.epochs / steps)
    return found


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, lambda epoch: (1 + math.cos(math.pi * epoch / EPOCHS)) / 2),
        ({"lr_min": 0.2}, lambda epoch: 0.2 + 0.8 * (1 + math.cos(math.pi * epoch / EPOCHS)) / 2),
        ({"schedule": "linear", "lr_min": 0.2}, lambda epoch: 1 - 0.8 * epoch / EPOCHS),
        ({"schedule": "exponential"}, lambda epoch: 0.97**epoch),
        ({"schedule": "exponential", "lr_decay": 0.5, "warmup_epochs": 1}, lambda epoch: 0.5**epoch if epoch else 0.01),
        ({"schedule": "none"}, lambda epoch: 1.0),
    ],
)
def test_schedules_are_functions_of_the_epoch(options: dict[str, Any], expected: Callable[[int], float]) -> None:
    assert rates(replace(RECIPE, **options), EPOCHS) == pytest.approx([expected(epoch) for epoch in range(EPOCHS)])


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("cosine", lambda done: (1 + math.cos(math.pi * done)) / 2), ("linear", lambda done: 1 - done)],
)
def test_schedules_know_parts_of_epochs(schedule: Any, expected: Callable[[float], float]) -> None:
    assert rates(replace(RECIPE, schedule=schedule), 3 * EPOCHS) == pytest.approx(
        [expected(step / (3 * EPOCHS)) for step in range(3 * EPOCHS)]
    )


@pytest.mark.parametrize(("decayed", "expected"), [("all", {"0.3": 4}), ("weights", {"0.3": 1, "0.0": 3})])
def test_weight_decay_spares_vectors_where_asked(decayed: Any, expected: dict[str, int]) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    groups = Retraining(weight_decay=0.3, decayed=decayed).make_optimizer(net.parameters()).param_groups
    assert {str(group["weight_decay"]): len(group["params"]) for group in groups} == expected
    assert all(group["nesterov"] for group in groups)


def test_optimizers_take_options_by_their_names() -> None:
    recipe = Retraining(optimizer="rmsproptf", optimizer_options={"eps": 1.0})  # NAS-Bench-101
    assert recipe.make_optimizer([nn.Parameter(torch.zeros(1))]).param_groups[0]["eps"] == 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 0}, r"Retraining\(epochs=0\): expected epochs >= 1, got 0"),
        ({"accumulate": 0}, r"accumulate=0"),
        ({"ema": 1.0}, r"expected ema in \[0, 1\), got 1.0"),
        ({"gradient_clip": 0.0}, r"expected gradient_clip > 0"),
        ({"lr_decay": 0.0}, r"expected lr_decay in \(0, 1\]"),
        ({"schedule": "none", "warmup_epochs": 1}, "expected warmup_epochs=0"),
        ({"schedule": "exponential", "lr_min": 0.1}, "expected lr_min=0"),
        ({"trained_on": "train+val", "patience": 3}, "No image is held out"),
        ({"optimizer": "sdg"}, "Did you mean 'sgd'"),
        ({"optimizer_options": {"epz": 1.0}}, "options that work here.*epz"),
        ({"precision": "12"}, "options that work here.*12"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        check_retraining(replace(RECIPE, **options))
    assert "\n" not in str(raised.value)


def test_recipes_of_the_field_are_not_refused() -> None:
    check_retraining(RECIPE)
    check_retraining(
        replace(RECIPE, lr=0.025, gradient_clip=5.0, auxiliary_weight=0.4, drop_path=0.2, ema=0.999, patience=9)
    )
