"""Paths of a supernet that are drawn from a policy that learns. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.search.policy import Policy
from lnas.spaces import SearchSpace
from lnas.training.path_sampling import PathSampler
from lnas.types import Arch, Region


@dataclass(frozen=True)
class PolicyPaths(PathSampler):
    """Draw from what a policy's distribution is at the time, and so by the generator and what the policy has learned.

    None of it is rejected, as ENAS does: a policy may learn to avoid cells that train nothing, and waiting for others
    would take for ever where it has come to prefer them.

    Args:
        policy: Of the supernet's space, the whole of which it draws from.
    """

    policy: Policy

    def check(self, space: SearchSpace, region: Region) -> None:
        likely = self.policy.mode()
        if region != space.region or likely.space != space.name:
            expected = f"a supernet of the whole space that the policy is of, {likely.space}"
            step = "Build it for that, or make the strategy for the supernet's space."
            raise UsageError(complaint("PolicyPaths(policy)", expected, str(region), step))

    def draw(self, space: SearchSpace, region: Region, rng: np.random.Generator) -> tuple[Arch, ...]:
        return (self.policy.sample(rng),)
