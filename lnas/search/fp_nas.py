"""A distribution over architectures that follows its own samples, weighted by how good they are."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.search.base import SeededStrategy, require_askable
from lnas.search.factors import factorize
from lnas.search.incumbent import Incumbent
from lnas.search.objective import Objective
from lnas.search.policy import Policy
from lnas.search.rewards import reward_of
from lnas.search.stopping import stopped_falling
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial

_FEWEST = 2  # a single sample has weight 1, whatever its reward


class FPNAS(SeededStrategy):
    """Fast probabilistic search: importance-weighted Monte-Carlo, with ever fewer samples as the entropy falls.

    An epoch samples `share` times the entropy of the distribution, in nats, rounded up, at least two. Then theta += lr
    sum_i w_i grad log p(a_i), with w the softmax of the samples' rewards. The search is over when the entropy was
    nowhere in the last `window` epochs lower than before them, or after `epochs`; the answer is the most probable
    architecture. A sample without all numbers has weight 0.

    Args:
        space: Where to search: independent decisions, or DARTS' space.
        seed: Decides every draw.
        objective: The sum of measures that is rewarded, by how each changed since the sample before.
        lr: Learning rate.
        share: Samples per nat.
        epochs: At most.
        window: Epochs in which the entropy must have fallen.

    Raises:
        UsageError: If the space has no such policy, or a number is out of its range.

    Source: Yan et al. 2021, "FP-NAS"; Chen et al. (TEG-NAS), Sec. 5.2.3, eq. 19-20, whose numbers these are; its code
    was not released. In the search without training that it describes, nothing is trained between epochs. The text
    leaves open what a number of samples below two means, and how it is seen that entropy has stopped decreasing:
    rounding and window are ours.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        objective: Objective,
        lr: float = 0.1,
        share: float = 0.25,
        epochs: int = 100,
        window: int = 20,
    ) -> None:
        super().__init__("FPNAS", seed)
        numbers = {"lr": lr, "share": share, "epochs": epochs, "window": window}
        for name, number in numbers.items():
            if not number > 0:
                raise UsageError(complaint(f"FPNAS({name}={number})", f"{name} > 0", number, "Raise it."))
        self._settings = {"strategy": "FPNAS", "seed": seed, "objective": objective.settings, **numbers}
        self._lr = lr
        self._share = share
        self._epochs = epochs
        self._window = window
        self._policy = Policy(factorize(space, "FPNAS(space=...)"))
        self._reward = reward_of("change", objective, "history", "FPNAS")
        self._asked = 0
        self._told = 0
        self._epoch: list[tuple[Trial, float | None]] = []
        self._incumbent = Incumbent(objective)
        self._entropies = [self._policy.entropy()]

    @property
    def ahead(self) -> int:
        """The rest of the epoch."""
        return max(0, self._samples - len(self._epoch) - (self._asked - self._told))

    @property
    def limit(self) -> int:
        return sys.maxsize

    @property
    def is_over(self) -> bool:
        done = len(self._entropies) - 1
        return done >= self._epochs or stopped_falling(self._entropies, self._window)

    @property
    def state(self) -> Mapping[str, float]:
        return {"entropy": self._entropies[-1], "samples": float(self._samples)}

    @property
    def policy(self) -> Policy:
        """The distribution that it learns; it changes with what is told."""
        return self._policy

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Arch]:
        require_askable("FPNAS", n, self.limit - self._asked)
        self._asked += n
        return [self._policy.sample(self._rng) for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._told += 1
            self._incumbent.add(trial)
            self._epoch.append((trial, self._reward(trial)))
            if len(self._epoch) >= self._samples:
                self._learn()

    def answer(self) -> Arch:
        self._incumbent.require("FPNAS")  # nothing was learned where nothing has a number
        return self._policy.mode()

    @property
    def _samples(self) -> int:
        return max(_FEWEST, math.ceil(self._share * self._entropies[-1]))

    def _learn(self) -> None:
        rewarded = [(trial, reward) for trial, reward in self._epoch if reward is not None]
        if rewarded:
            rewards = np.array([reward for _, reward in rewarded])
            weights = np.exp(rewards - rewards.max())
            weights /= weights.sum()
            gradients = [self._policy.gradient(trial.arch) for trial, _ in rewarded]
            self._policy.ascend(
                [
                    self._lr * sum(weight * part for weight, part in zip(weights, parts, strict=True))
                    for parts in zip(*gradients, strict=True)
                ]
            )
        self._epoch = []
        self._entropies.append(self._policy.entropy())
