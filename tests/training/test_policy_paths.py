"""Paths that a policy decides."""

from __future__ import annotations

import numpy as np
import pytest

from lnas.analysis.trivial_cells import are_trivial
from lnas.errors import UsageError
from lnas.search.factors import factorize
from lnas.search.policy import Policy
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.testing import TinySpace
from lnas.training.policy_paths import PolicyPaths
from lnas.types import Arch

SPACE = NatsTopologySpace()


def policy_of(space: NatsTopologySpace | TinySpace | DartsSpace) -> Policy:
    return Policy(factorize(space, "test"))


def test_choices_are_as_frequent_as_they_are_probable_at_the_time() -> None:
    policy, space, rng = policy_of(TinySpace()), TinySpace(), np.random.default_rng(0)
    paths = PolicyPaths(policy)
    policy.ascend([np.array([0.0, np.log(3)]), np.zeros(2), np.array([0.0, -np.log(9)])])
    drawn = np.array([paths.draw(space, space.region, rng)[0].genes for _ in range(2000)])
    assert drawn.mean(axis=0) == pytest.approx([0.75, 0.5, 0.1], abs=0.04)
    policy.ascend([np.array([0.0, -50.0]), np.zeros(2), np.array([0.0, 50.0])])
    later = np.array([paths.draw(space, space.region, rng)[0].genes for _ in range(50)])
    assert later[:, [0, 2]].tolist() == [[0, 1]] * 50


def test_a_policy_that_prefers_cells_that_train_nothing_has_its_way() -> None:
    policy = policy_of(SPACE)
    policy.ascend([np.array([0.0, 1e3, 0.0, 0.0, 0.0])] * 6)
    (path,) = PolicyPaths(policy).draw(SPACE, SPACE.region, np.random.default_rng(0))
    assert path == Arch(SPACE.name, (1,) * 6)
    assert are_trivial([path], SPACE)[0]


def test_it_serves_supernets_of_its_whole_space() -> None:
    for space in (SPACE, DartsSpace()):
        PolicyPaths(policy_of(space)).check(space, space.region)
    for policy, region in ((policy_of(DartsSpace()), SPACE.region), (policy_of(SPACE), SPACE.region.without(0, 0))):
        with pytest.raises(UsageError, match="expected a supernet of the whole space that the policy is of"):
            PolicyPaths(policy).check(SPACE, region)
