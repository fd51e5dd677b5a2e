"""How a policy's logits follow a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np

from lnas.search.policy import Gradient

Optimizer = Literal["sgd", "adam"]
Ascent = Callable[[Sequence[np.ndarray]], Gradient]
"""From the gradient of what is to grow to the step to take."""

_DECAY, _SQUARE_DECAY, _SMALL = 0.9, 0.999, 1e-8


def ascent_of(optimizer: Optimizer, lr: float) -> Ascent:
    """Return plain gradient ascent, or Adam (Kingma and Ba 2015) with its usual constants."""
    return Adam(lr) if optimizer == "adam" else partial(_scaled, lr)


def _scaled(lr: float, gradient: Sequence[np.ndarray]) -> Gradient:
    return [lr * part for part in gradient]


class Adam:
    """Adam's steps, upwards."""

    def __init__(self, lr: float) -> None:
        self._lr = lr
        self._steps = 0
        self._means: Gradient = []
        self._squares: Gradient = []

    def __call__(self, gradient: Sequence[np.ndarray]) -> Gradient:
        """Return the step."""
        if not self._steps:
            self._means = [np.zeros_like(part) for part in gradient]
            self._squares = [np.zeros_like(part) for part in gradient]
        self._steps += 1
        self._means = [_DECAY * mean + (1 - _DECAY) * part for mean, part in zip(self._means, gradient, strict=True)]
        self._squares = [
            _SQUARE_DECAY * square + (1 - _SQUARE_DECAY) * part**2
            for square, part in zip(self._squares, gradient, strict=True)
        ]
        return [
            self._lr
            * (mean / (1 - _DECAY**self._steps))
            / (np.sqrt(square / (1 - _SQUARE_DECAY**self._steps)) + _SMALL)
            for mean, square in zip(self._means, self._squares, strict=True)
        ]
