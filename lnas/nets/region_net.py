"""What every network of ours offers, stand-alone nets and supernets alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.choice import Pick
from lnas.types import Arch, Region


class RegionNet(nn.Module, ABC):
    """The network of a region: a stand-alone net where it holds one architecture, a supernet where it holds more.

    Both are the same modules under the same names, so that a path through a supernet is computed by the very code of
    the stand-alone net. Which path is an argument of each call, never a state.

    Args:
        region: Which choices have modules.
        options: The other arguments of the subclass, with which `subnet` builds one of another region.

    Attributes:
        region: As given.
        classifier: The last linear layer.
        stages: Names of stages whose features can be asked for, in order, with the module whose output they are.
    """

    classifier: nn.Linear
    stages: Mapping[str, str]

    def __init__(self, region: Region, **options: Any) -> None:
        super().__init__()
        self.region = region
        self._arguments = options

    @abstractmethod
    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        """Compute the logits with one pick per decision."""

    def forward(self, images: Tensor, arch: Arch | None = None, *, weights: Sequence[Tensor] | None = None) -> Tensor:
        """Map images (B, 3, H, W) to logits (B, classes).

        Args:
            images: A batch.
            arch: The path to take; may be left out where the region holds one.
            weights: Instead of a path, a mixture of all of them: for each decision a vector with a weight for each
                choice of the region, in its order. `uniform_weights` gives the mixture of TE-NAS.

        Raises:
            UsageError: If the arch is outside the region, or the weights are not one vector per decision.
        """
        return self.logits(images, self.picks(arch, weights))

    def picks(self, arch: Arch | None, weights: Sequence[Tensor] | None) -> tuple[Pick, ...]:
        """Turn the arguments of `forward` into a pick per decision; decisions that are made stay a plain choice."""
        call = f"{type(self).__name__}(images, arch, weights=...)"
        if arch is not None and weights is not None:
            raise UsageError(complaint(call, "an arch or weights", "both", "Leave one out."))
        if weights is not None:
            return self._mixture(weights)
        if arch is not None:
            self._require(arch, call)
            return arch.genes
        if not self.region.is_single:
            raise UsageError(complaint(call, "an arch or weights", "neither", "Say which path to take."))
        return tuple(allowed[0] for allowed in self.region.choices)

    def subnet(self, arch: Arch) -> Self:
        """Return the stand-alone net of an architecture, which shares the weights of this one.

        A weight of equal shape is the same `Parameter`; one of which the architecture uses a part is a view of that
        part, which sees and makes changes in place but has a gradient of its own. To train a supernet, call the
        supernet; to save a subnet, `copy.deepcopy` it first, or its views take the whole supernet along.
        """
        self._require(arch, "net.subnet(arch)")
        with torch.device("meta"):
            net = type(self)(Region.of(arch), **self._arguments)
        shared = dict(self.named_parameters()) | dict(self.named_buffers())
        for path, module in net.named_modules():
            prefix = f"{path}." if path else ""
            for name, own in module._parameters.items():
                if own is not None:
                    module._parameters[name] = _part(shared[prefix + name], own.shape)
            for name, own in module._buffers.items():
                if own is not None:
                    module._buffers[name] = _part(shared[prefix + name], own.shape)
        return net.train(self.training)

    def stage_features(self, images: Tensor, names: Sequence[str], arch: Arch | None = None) -> dict[str, Tensor]:
        """Compute the features of stages by name.

        Args:
            images: A batch.
            names: Names out of `stages`.
            arch: As in `forward`.

        Returns:
            Name -> output of the stage, in the order asked for.
        """
        for name in names:
            if name not in self.stages:
                raise UsageError(f"stage_features(names={list(names)}): {unknown_name('stage', name, self.stages)}")
        found: dict[str, Tensor] = {}
        hooks = [
            self.get_submodule(self.stages[name]).register_forward_hook(
                lambda module, inputs, output, name=name: found.__setitem__(name, output)
            )
            for name in names
        ]
        try:
            self(images, arch)
        finally:
            for hook in hooks:
                hook.remove()
        return {name: found[name] for name in names}

    def _mixture(self, weights: Sequence[Tensor]) -> tuple[Pick, ...]:
        sizes = [len(allowed) for allowed in self.region.choices]
        got = [tuple(vector.shape) if isinstance(vector, Tensor) else type(vector).__name__ for vector in weights]
        if got != [(size,) for size in sizes]:
            call = f"{type(self).__name__}(images, weights=...)"
            raise UsageError(complaint(call, f"vectors of {sizes} weights", got, "See lnas.nets.uniform_weights."))
        return tuple(
            allowed[0] if len(allowed) == 1 else vector
            for allowed, vector in zip(self.region.choices, weights, strict=True)
        )

    def _require(self, arch: Arch, call: str) -> None:
        if not isinstance(arch, Arch):
            raise UsageError(complaint(call, "an Arch", arch, "A space's `parse` reads the notation."))
        if arch not in self.region:
            expected = f"an arch of the network's region of {self.region.space}"
            raise UsageError(complaint(call, expected, str(arch), "`net.region` holds what it was built for."))


def uniform_weights(region: Region) -> list[Tensor]:
    """Return the mixture in which all choices of a decision weigh the same, as in TE-NAS."""
    return [torch.full((len(allowed),), 1 / len(allowed)) for allowed in region.choices]


def softmax_weights(logits: Sequence[Tensor]) -> list[Tensor]:
    """Return the mixture of DARTS: the softmax of a vector of logits per decision. Gradients reach the logits."""
    return [torch.softmax(vector, dim=0) for vector in logits]


def gumbel_weights(logits: Sequence[Tensor], temperature: float = 1.0) -> list[Tensor]:
    """Return a mixture drawn from the Gumbel-softmax of each vector of logits (Jang et al. 2017).

    Draws from the global generator; a temperature toward 0 makes it a choice.
    """
    return [nn.functional.gumbel_softmax(vector, tau=temperature, dim=0) for vector in logits]


def _part(tensor: Tensor, shape: torch.Size) -> Tensor:
    """Return the tensor, or a view of the leading part that has this shape."""
    if tensor.shape == shape:
        return tensor
    view = tensor.detach()[tuple(slice(size) for size in shape)]
    return nn.Parameter(view, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else view
