"""A distribution over architectures that is learned: a softmax for each factor of a space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.search.factors import Choices, Factor, Factors
from lnas.types import Arch

Gradient = list[np.ndarray]


class Policy:
    """Independent softmaxes over the choices of each factor, uniform at first.

    Args:
        factors: Of the space.
    """

    def __init__(self, factors: Factors) -> None:
        self._factors = factors
        self.logits: Gradient = [np.zeros(factor.size) for factor in factors.factors]

    def sample(self, rng: np.random.Generator) -> Arch:
        """Draw an architecture."""
        choices: list[int | None] = []
        for factor, probabilities in self._pairs():
            made = factor.parent is None or choices[factor.parent] in factor.made_when
            choices.append(int(rng.choice(factor.size, p=probabilities)) if made else None)
        return self._factors.assemble(tuple(choices))

    def mode(self) -> Arch:
        """Return the most probable architecture, the first of equals."""
        choices: list[int | None] = [None] * len(self.logits)
        logs = [np.log(probabilities) for _, probabilities in self._pairs()]
        for k, factor in enumerate(self._factors.factors):
            if factor.parent is None:
                children = self._children(k)
                best = [
                    logs[k][c] + sum(logs[j].max() for j in children if self._made(j, c)) for c in range(factor.size)
                ]
                choices[k] = int(np.argmax(best))
            elif choices[factor.parent] in factor.made_when:
                choices[k] = int(logs[k].argmax())
        return self._factors.assemble(tuple(choices))

    def log_probability(self, arch: Arch) -> float:
        """Return the log of an architecture's probability."""
        choices = self._factors.take_apart(arch)
        pairs = zip(self._pairs(), choices, strict=True)
        return float(sum(np.log(probabilities[choice]) for (_, probabilities), choice in pairs if choice is not None))

    def gradient(self, arch: Arch) -> Gradient:
        """Return the gradient of the log of an architecture's probability by the logits."""
        choices: Choices = self._factors.take_apart(arch)
        return [
            np.zeros(factor.size) if choice is None else np.eye(factor.size)[choice] - probabilities
            for (factor, probabilities), choice in zip(self._pairs(), choices, strict=True)
        ]

    def entropy(self) -> float:
        """Return the entropy of the distribution over architectures, in nats."""
        probabilities = [own for _, own in self._pairs()]
        total = 0.0
        for factor, own in zip(self._factors.factors, probabilities, strict=True):
            made = 1.0 if factor.parent is None else sum(probabilities[factor.parent][c] for c in factor.made_when)
            total -= made * float(own @ np.log(own))
        return total

    def ascend(self, step: Sequence[np.ndarray]) -> None:
        """Add a step to the logits."""
        for logits, own in zip(self.logits, step, strict=True):
            logits += own

    def _pairs(self) -> list[tuple[Factor, np.ndarray]]:
        return [(factor, _softmax(own)) for factor, own in zip(self._factors.factors, self.logits, strict=True)]

    def _children(self, parent: int) -> list[int]:
        return [k for k, factor in enumerate(self._factors.factors) if factor.parent == parent]

    def _made(self, k: int, choice: int) -> bool:
        return choice in self._factors.factors[k].made_when


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    # Not quite zero, so that what has all but vanished still has a logarithm.
    return np.maximum(weights / weights.sum(), np.finfo(float).tiny)
