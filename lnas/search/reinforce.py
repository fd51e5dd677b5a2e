"""A policy that learns by REINFORCE which architectures to sample."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from lnas.errors import UsageError, complaint, unknown_name
from lnas.search.ascent import Optimizer, ascent_of
from lnas.search.base import SeededStrategy, require_askable
from lnas.search.factors import factorize
from lnas.search.incumbent import Incumbent
from lnas.search.objective import Objective
from lnas.search.policy import Policy
from lnas.search.rewards import Extremes, reward_of
from lnas.search.stopping import stopped_falling
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial

ReinforceProtocol = Literal["as_published", "as_released", "nats_bench"]


class Variant(NamedTuple):
    """How a source does it.

    Attributes:
        reward: The measures' change since the sample before, or the value of one.
        extremes: Over which changes are normalised.
        optimizer: What follows the gradient.
        answer: The most probable architecture, or the best sample.
        spread: Deviation of the first logits.
    """

    reward: Literal["change", "value"]
    extremes: Extremes
    optimizer: Optimizer
    answer: Literal["mode", "best sample"]
    spread: float = 0.0


VARIANTS: dict[ReinforceProtocol, Variant] = {
    "as_published": Variant("change", "history", "sgd", "mode"),
    "as_released": Variant("change", "last 10", "adam", "mode"),
    "nats_bench": Variant("value", "history", "adam", "best sample", 1e-3),
}


class Reinforce(SeededStrategy):
    """Sample one architecture at a time from a softmax policy, and raise the probability of what is rewarded.

    theta += lr (r_t - b_t) grad log p(a_t), with the baseline b_t = decay b_{t-1} + (1 - decay) r_t, b_0 = 0. A sample
    without all numbers changes nothing. The search is over when the policy's entropy was nowhere in the last `window`
    samples lower than before them, or after `steps`.

    Args:
        space: Where to search: independent decisions, or DARTS' space, where a node chooses its pair of inputs, then
            their operations.
        seed: Decides every draw.
        objective: The sum of measures that is rewarded, such as `ntk_cond+linear_regions+ntk_mse`; one for
            "nats_bench".
        protocol: "as_published": TEG-NAS' text, with rewards by change over the range seen so far, and plain gradient
            steps. "as_released": its code, with the range of the last ten samples, and Adam. "nats_bench": the value
            as reward, Adam, first logits 1e-3 N(0, 1), and the best sample as the answer.
        lr: Learning rate; TEG-NAS takes 0.04 for NAS-Bench-201 and 0.07 for DARTS, NATS-Bench 0.01.
        decay: Of the baseline.
        steps: Samples at most.
        window: Samples in which the entropy must have fallen.

    Raises:
        UsageError: If the space has no such policy, or an argument is none of these.

    Source: Williams 1992; Chen et al. (TEG-NAS), Sec. 5.2.1, eq. 13-18; Dong et al. 2021 (NATS-Bench). TEG-NAS says
    that it stops when the entropy stops decreasing, and not how that is seen: the window is ours.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        objective: Objective,
        protocol: ReinforceProtocol = "as_published",
        lr: float = 0.04,
        decay: float = 0.9,
        steps: int = 500,
        window: int = 100,
    ) -> None:
        super().__init__("Reinforce", seed)
        if protocol not in VARIANTS:
            raise UsageError(f"Reinforce(protocol={protocol!r}): {unknown_name('protocol', str(protocol), VARIANTS)}")
        for name, number, sound, expected in (
            ("lr", lr, lr > 0, "lr > 0"),
            ("decay", decay, 0 <= decay < 1, "0 <= decay < 1"),
            ("steps", steps, steps >= 1, "steps >= 1"),
            ("window", window, window >= 1, "window >= 1"),
        ):
            if not sound:
                raise UsageError(complaint(f"Reinforce({name}={number})", expected, number, "Change it."))
        variant = VARIANTS[protocol]
        self._settings = {
            "strategy": "Reinforce",
            "seed": seed,
            "objective": objective.settings,
            "protocol": protocol,
            "lr": lr,
            "decay": decay,
            "steps": steps,
            "window": window,
        }
        self._variant = variant
        self._decay = decay
        self._steps = steps
        self._window = window
        self._policy = Policy(factorize(space, "Reinforce(space=...)"))
        self._policy.ascend([variant.spread * self._rng.standard_normal(own.shape) for own in self._policy.logits])
        self._ascent = ascent_of(variant.optimizer, lr)
        self._reward = reward_of(variant.reward, objective, variant.extremes, "Reinforce")
        self._baseline = 0.0
        self._asked = 0
        self._incumbent = Incumbent(objective)
        self._entropies: list[float] = []

    @property
    def limit(self) -> int:
        return sys.maxsize

    @property
    def is_over(self) -> bool:
        return len(self._entropies) >= self._steps or stopped_falling(self._entropies, self._window)

    @property
    def state(self) -> Mapping[str, float]:
        return {"entropy": self._policy.entropy(), "baseline": self._baseline}

    @property
    def policy(self) -> Policy:
        """The distribution that it learns; it changes with what is told."""
        return self._policy

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Arch]:
        require_askable("Reinforce", n, self.limit - self._asked)
        self._asked += n
        return [self._policy.sample(self._rng) for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._learn(trial)
            self._incumbent.add(trial)
            self._entropies.append(self._policy.entropy())

    def answer(self) -> Arch:
        if self._variant.answer == "best sample":
            return self._incumbent.answer("Reinforce")
        self._incumbent.require("Reinforce")  # nothing was learned where nothing has a number
        return self._policy.mode()

    def _learn(self, trial: Trial) -> None:
        reward = self._reward(trial)
        if reward is None:
            return
        self._baseline = self._decay * self._baseline + (1 - self._decay) * reward
        advantage = reward - self._baseline
        self._policy.ascend(self._ascent([advantage * part for part in self._policy.gradient(trial.arch)]))
