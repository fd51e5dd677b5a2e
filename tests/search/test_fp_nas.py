from __future__ import annotations

import math

import numpy as np
import pytest

from lnas.errors import RunError, UsageError
from lnas.search import FPNAS, Objective
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

ONES = Objective("ones", {"ones": True})


def trial(arch: Arch) -> Trial:
    return Trial(arch, {"ones": Estimate(float(arch.genes.count(1)))})


def test_samples_are_a_quarter_of_the_entropy_in_nats_rounded_up_and_at_least_two() -> None:
    assert FPNAS(NatsTopologySpace(), 0, ONES).state["samples"] == math.ceil(0.25 * 6 * math.log(5)) == 3
    assert FPNAS(TinySpace(), 0, ONES).state["samples"] == 2
    assert FPNAS(NatsTopologySpace(), 0, ONES, share=2).state["samples"] == math.ceil(12 * math.log(5))


def test_an_epoch_by_hand() -> None:
    """Eq. 19-20, with two samples of which the second is rewarded by 1, 0 or -1."""
    strategy = FPNAS(TinySpace(), 0, ONES, lr=0.5)
    first, second = strategy.ask(2)
    strategy.tell([trial(first)])
    assert all((own == 0).all() for own in strategy._policy.logits)
    strategy.tell([trial(second)])
    reward = np.sign(second.genes.count(1) - first.genes.count(1))
    weights = np.array([1, np.exp(reward)]) / (1 + np.exp(reward))
    expected = [
        0.5 * (weights[0] * (np.eye(2)[one] - 0.5) + weights[1] * (np.eye(2)[other] - 0.5))
        for one, other in zip(first.genes, second.genes, strict=True)
    ]
    assert np.allclose(strategy._policy.logits, expected)


def test_what_lacks_a_number_has_no_weight() -> None:
    strategy = FPNAS(TinySpace(), 0, ONES, lr=0.5)
    first, second = strategy.ask(2)
    strategy.tell([trial(first), Trial(second, {"ones": Estimate.failure(ValueError("why"))})])
    assert np.allclose(strategy._policy.logits, [0.5 * (np.eye(2)[gene] - 0.5) for gene in first.genes])


def test_entropy_falls_and_the_search_ends_with_the_most_probable() -> None:
    strategy = FPNAS(NatsTopologySpace(), 0, ONES, window=50)
    told = 0
    while not strategy.is_over:
        strategy.tell([trial(arch) for arch in strategy.ask(1)])
        told += 1
    assert strategy.state["entropy"] < 6 * math.log(5) - 0.2
    assert 2 * 50 < told <= 3 * 100
    assert strategy.answer() == strategy._policy.mode()


def test_nothing_measured_is_no_answer() -> None:
    strategy = FPNAS(TinySpace(), 0, ONES)
    strategy.tell([Trial(arch, {"ones": Estimate.failure(ValueError("why"))}) for arch in strategy.ask(4)])
    with pytest.raises(RunError, match=r"FPNAS.answer\(\): expected a trial with ones, got '4 without'"):
        strategy.answer()


def test_what_cannot_be_is_refused_at_construction() -> None:
    with pytest.raises(UsageError, match=r"share > 0, got 0"):
        FPNAS(TinySpace(), 0, ONES, share=0)


def test_its_policy_is_seen_learning() -> None:
    strategy = FPNAS(NatsTopologySpace(), 0, ONES)
    before = strategy.policy.entropy()
    strategy.tell([trial(arch) for arch in strategy.ask(30)])
    assert strategy.state["entropy"] == strategy.policy.entropy() != before
    assert strategy.policy.mode() == strategy.answer()
