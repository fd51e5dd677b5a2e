"""Two parents, one child."""

from __future__ import annotations

import numpy as np

from lnas.search.factors import Choices, Factors
from lnas.types import Arch


def cross(factors: Factors, one: Arch, other: Arch, rng: np.random.Generator) -> Arch:
    """Take each choice from either parent, with equal chances: uniform crossover.

    A choice that only one of them had to make is taken from that one. As what it depends on is taken from a parent
    too, there always is one that made it.

    Args:
        factors: Of the parents' space.
        one: Parent.
        other: Parent.
        rng: Decides; draws as often whatever the parents.

    Source: Syswerda 1989, "Uniform crossover in genetic algorithms".
    """
    choices: list[int | None] = []
    pairs = zip(factors.take_apart(one), factors.take_apart(other), strict=True)
    for factor, pair, first in zip(factors.factors, pairs, rng.integers(2, size=len(factors.factors)), strict=True):
        made = factor.parent is None or choices[factor.parent] in factor.made_when
        choices.append(_either(pair, int(first)) if made else None)
    return factors.assemble(tuple(choices))


def _either(pair: Choices, preferred: int) -> int | None:
    choice = pair[preferred]
    return choice if choice is not None else pair[1 - preferred]
