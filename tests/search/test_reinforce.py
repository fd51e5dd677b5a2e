from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.search import Objective, Reinforce
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

ONES = Objective("ones", {"ones": True})


def trial(arch: Arch) -> Trial:
    return Trial(arch, {"ones": Estimate(float(arch.genes.count(1)))})


def run(strategy: Reinforce, most: int = 2000) -> int:
    for step in range(most):
        if strategy.is_over:
            return step
        strategy.tell([trial(arch) for arch in strategy.ask(1)])
    return most


def test_two_steps_as_published_by_hand() -> None:
    """Eq. 13-16: the first sample has no reward; the second one of +-1 or 0, a tenth of which is the baseline."""
    strategy = Reinforce(TinySpace(), 0, ONES, lr=0.5)
    first, second = strategy.ask(2)
    strategy.tell([trial(first)])
    assert all((own == 0).all() for own in strategy._policy.logits)
    strategy.tell([trial(second)])
    reward = np.sign(second.genes.count(1) - first.genes.count(1))
    assert reward != 0
    expected = [0.5 * (reward - 0.1 * reward) * (np.eye(2)[gene] - 0.5) for gene in second.genes]
    assert np.allclose(strategy._policy.logits, expected)
    assert strategy.state["baseline"] == pytest.approx(0.1 * reward)


def test_adam_as_released_takes_first_steps_of_the_learning_rate() -> None:
    strategy = Reinforce(TinySpace(), 0, ONES, "as_released", lr=0.5)
    first, second = strategy.ask(2)
    strategy.tell([trial(first), trial(second)])
    # Zero at first; then m = 0.1 g / (1 - 0.9^2), v = 0.001 g^2 / (1 - 0.999^2): a step of lr m / sqrt(v).
    step = 0.5 * (0.1 / 0.19) / np.sqrt(0.001 / 0.001999)
    assert np.allclose(np.abs(strategy._policy.logits), step, rtol=1e-5)


@pytest.mark.parametrize("space", [NatsTopologySpace(), DartsSpace()])
def test_the_policy_comes_to_sample_what_is_rewarded(space: SearchSpace) -> None:
    strategy = Reinforce(space, 0, ONES, "nats_bench", lr=0.05, steps=600, window=600)
    run(strategy)
    late = [strategy.ask(1)[0].genes.count(1) for _ in range(50)]
    uniform = [space.sample(np.random.default_rng(seed)).genes.count(1) for seed in range(50)]
    assert np.mean(late) > np.mean(uniform) + 2


def test_it_ends_after_its_steps_or_when_the_entropy_has_stopped_falling() -> None:
    assert run(Reinforce(TinySpace(), 0, ONES, steps=30, window=1000)) == 30
    equal = Objective("same", {"same": True})
    strategy = Reinforce(TinySpace(), 0, equal, steps=500, window=10)
    steps = 0
    while not strategy.is_over:
        strategy.tell([Trial(arch, {"same": Estimate(1.0)}) for arch in strategy.ask(1)])
        steps += 1
    assert steps == 11


def test_the_answer_is_the_mode_or_the_best_sample() -> None:
    strategy = Reinforce(TinySpace(), 0, ONES, steps=20)
    sampled = Reinforce(TinySpace(), 0, ONES, "nats_bench", lr=1e-9)
    archs = sampled.ask(4)
    sampled.tell([trial(arch) for arch in archs])
    run(strategy)
    assert strategy.answer() == strategy._policy.mode()
    assert sampled.answer() == max(archs, key=lambda arch: arch.genes.count(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "as_writen"}, r"unknown protocol 'as_writen'"),
        ({"lr": 0}, r"lr > 0, got 0"),
        ({"decay": 1}, r"0 <= decay < 1, got 1"),
        ({"steps": 0}, r"steps >= 1, got 0"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Reinforce(TinySpace(), 0, ONES, **options)


def test_its_policy_is_seen_learning() -> None:
    strategy = Reinforce(TinySpace(), 0, ONES, lr=0.5)
    before = strategy.policy.entropy()
    run(strategy, 50)
    assert strategy.state["entropy"] == strategy.policy.entropy() < before
    assert strategy.policy.mode() == strategy.answer()
