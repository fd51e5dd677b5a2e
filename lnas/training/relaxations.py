"""How what a supernet computes is made of the logits of its decisions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lnas.errors import UsageError, complaint
from lnas.nets.choice import Pick
from lnas.nets.weighted_choice import WeightedChoice


class Relaxation(ABC):
    """From the logits of a decision to a pick that they have a gradient by."""

    @abstractmethod
    def pick(self, logits: Tensor, choices: Sequence[int], progress: float, generator: torch.Generator) -> Pick:
        """Return what the supernet computes of one decision at one step.

        Args:
            logits: One per choice.
            choices: What the region allows.
            progress: 0 in the first epoch, 1 in the last.
            generator: Decides what is drawn; on the CPU.
        """


@dataclass(frozen=True)
class Softmax(Relaxation):
    """The mixture of all choices, weighted by the softmax of their logits.

    Source: Liu et al. 2019 (DARTS), eq. 2.
    """

    def pick(self, logits: Tensor, choices: Sequence[int], progress: float, generator: torch.Generator) -> Pick:
        return torch.softmax(logits, dim=0)


@dataclass(frozen=True)
class GumbelChoice(Relaxation):
    """One choice, drawn by its softmax probability, with the gradient of a Gumbel-softmax at a temperature.

    Forward it is the choice alone, with the factor 1; backward the factor is the choice's share in the softmax of
    (log-probabilities + Gumbel noise) / temperature. The temperature goes linearly with the epochs.

    Args:
        start: The temperature in the first epoch.
        end: The temperature in the last epoch.

    Raises:
        UsageError: If a temperature is not positive.

    Source: Dong and Yang 2019 (GDAS), eq. 3 to 6, with the published 10 to 0.1. As in the paper, only the choice that
    is computed sends a gradient back; the release (`forward_gdas`) adds the factors of the others, which are zeros, to
    the feature maps as they are, so that these send back the sum of the maps' gradient.
    """

    start: float = 10.0
    end: float = 0.1

    def __post_init__(self) -> None:
        for name, value in (("start", self.start), ("end", self.end)):
            if not 0 < value < math.inf:
                call = f"GumbelChoice({name}={value!r})"
                raise UsageError(complaint(call, f"{name} > 0", value, "The published ones are 10 and 0.1."))

    def temperature(self, progress: float) -> float:
        """Return the temperature at a share of the epochs, in [0, 1]."""
        return self.start + (self.end - self.start) * progress

    def pick(self, logits: Tensor, choices: Sequence[int], progress: float, generator: torch.Generator) -> Pick:
        noise = -torch.empty(len(logits), dtype=torch.float64).exponential_(generator=generator).log()
        noisy = torch.log_softmax(logits, dim=0) + noise.to(logits)
        shares = torch.softmax(noisy / self.temperature(progress), dim=0)
        index = int(noisy.argmax())
        return WeightedChoice(choices[index], shares[index] - shares[index].detach() + 1)
