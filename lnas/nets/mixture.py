"""The supernet of a region as one network: what a search that prunes it measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.nets.build import build_supernet
from lnas.nets.region_net import RegionNet, uniform_weights
from lnas.types import Region

_OF_NETS_ALONE: Mapping[str, Any] = {"auxiliary": False, "drop_path": 0.0}


class UniformMixture(nn.Module):
    """All paths of a supernet at once, each choice of a decision weighing the same, and fixed.

    Source: TE-NAS prunes such a supernet, whose softmax over equal weights is uniform; so does ST-NAS (Tab. 6).

    Args:
        supernet: Trained in place.
    """

    def __init__(self, supernet: RegionNet) -> None:
        super().__init__()
        self.supernet = supernet
        weights = uniform_weights(supernet.region)
        self._names = [f"weights_{decision}" for decision in range(len(weights))]
        for name, vector in zip(self._names, weights, strict=True):
            self.register_buffer(name, vector, persistent=False)

    @property
    def classifier(self) -> nn.Linear:
        """The last linear layer, under the name that all networks have it by."""
        return self.supernet.classifier

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to logits (B, classes)."""
        return self.supernet(images, weights=[getattr(self, name) for name in self._names])


def build_mixture(region: Region, num_classes: int, options: Mapping[str, Any]) -> UniformMixture:
    """Build the supernet of a region, with options of a `NetBuilder`, as a mixture.

    Raises:
        UsageError: If an option is one that supernets do not have, or no mixtures are known for the space.
    """
    for name, neutral in _OF_NETS_ALONE.items():
        if options[name] != neutral:
            call = f"NetBuilder({name}={options[name]!r})({region}, ...)"
            raise UsageError(complaint(call, f"{name}={neutral!r} for a region", options[name], "Leave it out."))
    return UniformMixture(
        build_supernet(region, num_classes, **{k: v for k, v in options.items() if k not in _OF_NETS_ALONE})
    )
