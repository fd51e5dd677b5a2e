from __future__ import annotations

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.search.factors import factorize
from lnas.search.policy import Policy
from lnas.spaces import SPACES, DartsSpace, NasBench101Space

SERVED = [name for name in SPACES if name != "nasbench101"]


@pytest.mark.parametrize("name", SERVED)
def test_architectures_survive_being_taken_apart(name: str) -> None:
    space = SPACES[name]()
    factors = factorize(space, "test")
    for seed in range(20):
        arch = space.sample(np.random.default_rng(seed))
        assert factors.assemble(factors.take_apart(arch)) == arch


@pytest.mark.parametrize("name", SERVED)
def test_a_new_policy_is_uniform_over_the_space(name: str) -> None:
    space = SPACES[name]()
    policy = Policy(factorize(space, "test"))
    assert policy.entropy() == pytest.approx(np.log(float(space.size)))
    for seed in range(20):
        arch = policy.sample(np.random.default_rng(seed))
        space.validate(arch)
        assert policy.log_probability(arch) == pytest.approx(-np.log(float(space.size)))
    space.validate(policy.mode())


def test_darts_chooses_pairs_then_operations() -> None:
    factors = factorize(DartsSpace(), "test").factors
    assert [factor.size for factor in factors if factor.parent is None] == [1, 3, 6, 10] * 2
    assert sum(factor.parent is not None for factor in factors) == 28


def test_other_spaces_are_refused() -> None:
    with pytest.raises(UsageError, match=r"a space of independent decisions, or DartsSpace, got 'nasbench101'"):
        factorize(NasBench101Space(), "Reinforce(space=...)")
