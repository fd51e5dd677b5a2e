from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lnas.search.factors import Factor, Factors
from lnas.search.policy import Policy
from lnas.types import Arch


def nested() -> Factors:
    """A choice of two or three options: option 0 makes the second factor, options 0 and 2 the third."""
    factors = (Factor(3), Factor(2, 0, frozenset({0})), Factor(4, 0, frozenset({0, 2})))
    return Factors(
        factors,
        lambda choices: Arch("nested", tuple(-1 if choice is None else choice for choice in choices)),
        lambda arch: tuple(None if gene < 0 else gene for gene in arch.genes),
    )


def everything() -> list[Arch]:
    some = [(first, second, third) for first, second, third in itertools.product(range(3), (-1, 0, 1), range(-1, 4))]
    return [
        Arch("nested", genes)
        for genes in some
        if (genes[1] >= 0) is (genes[0] == 0) and (genes[2] >= 0) is (genes[0] in (0, 2))
    ]


@pytest.fixture
def policy() -> Policy:
    made = Policy(nested())
    rng = np.random.default_rng(1)
    made.ascend([rng.standard_normal(own.shape) for own in made.logits])
    return made


def probabilities(policy: Policy) -> np.ndarray:
    return np.exp([policy.log_probability(arch) for arch in everything()])


def test_probabilities_of_all_architectures_add_up_to_one(policy: Policy) -> None:
    assert len(everything()) == 2 * 4 + 1 + 4
    assert probabilities(policy).sum() == pytest.approx(1)


def test_entropy_is_that_of_the_distribution_over_architectures(policy: Policy) -> None:
    p = probabilities(policy)
    assert policy.entropy() == pytest.approx(-(p * np.log(p)).sum())
    assert Policy(nested()).entropy() == pytest.approx(math.log(3) + math.log(2) / 3 + 2 * math.log(4) / 3)


def test_samples_come_with_their_probabilities(policy: Policy) -> None:
    rng = np.random.default_rng(0)
    drawn = [policy.sample(rng) for _ in range(4000)]
    assert [drawn.count(arch) / 4000 for arch in everything()] == pytest.approx(probabilities(policy), abs=0.03)


@pytest.mark.parametrize("seed", range(20))
def test_the_mode_is_the_most_probable(seed: int) -> None:
    policy = Policy(nested())
    rng = np.random.default_rng(seed)
    policy.ascend([rng.standard_normal(own.shape) for own in policy.logits])
    assert policy.mode() == everything()[int(probabilities(policy).argmax())]


@pytest.mark.parametrize("arch", everything(), ids=str)
def test_the_gradient_is_that_of_the_log_probability(policy: Policy, arch: Arch) -> None:
    gradient = policy.gradient(arch)
    for factor, own in enumerate(policy.logits):
        for choice in range(len(own)):
            nudge = [np.zeros_like(logits) for logits in policy.logits]
            nudge[factor][choice] = 1e-6
            policy.ascend(nudge)
            above = policy.log_probability(arch)
            policy.ascend([-2 * part for part in nudge])
            below = policy.log_probability(arch)
            policy.ascend(nudge)
            assert gradient[factor][choice] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_what_has_all_but_vanished_still_has_a_logarithm() -> None:
    policy = Policy(nested())
    policy.ascend([np.array([1e6, 0, 0]), np.zeros(2), np.zeros(4)])
    assert math.isfinite(policy.entropy())
    assert all(math.isfinite(policy.log_probability(arch)) for arch in everything())
