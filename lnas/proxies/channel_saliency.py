"""What the channels of a network are worth to its loss."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class Saliency(NamedTuple):
    """What the channels of a layer are worth.

    Attributes:
        of_channels: Shape (C,): half the mean over the images of (sum over positions of activation * gradient)^2, for
            the outputs of a convolution (n, C, H, W) or linear layer (n, ..., C).
        weights_per_channel: How many weights make one channel.
    """

    of_channels: Tensor
    weights_per_channel: int


class SaliencyWatcher:
    """Takes the saliencies of all convolutions and linear layers while a loss is differentiated.

    Attach it before the forward pass, detach it after the backward pass: a second one would be added.
    """

    def __init__(self) -> None:
        self._seen: dict[nn.Conv2d | nn.Linear, Saliency] = {}
        self._handles: list[RemovableHandle] = []

    def attach(self, net: nn.Module) -> None:
        """Listen to the layers of a net."""
        layers = [module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
        self._handles += [layer.register_forward_hook(self._listen) for layer in layers]

    def detach(self) -> None:
        """Listen no more."""
        for handle in self._handles:
            handle.remove()

    def saliencies(self) -> list[Saliency]:
        """Return what was taken, for each layer that the loss reaches; a layer called twice has the sum."""
        return list(self._seen.values())

    def _listen(self, layer: nn.Conv2d | nn.Linear, inputs: Any, output: Tensor) -> Tensor | None:
        """Return a copy for the net to go on with, since it may write over what a layer gives."""
        if not output.requires_grad:
            return None
        handle = output.register_hook(lambda gradient: self._keep(layer, output.detach(), gradient.detach()))
        self._handles.append(handle)
        return output.clone()

    def _keep(self, layer: nn.Conv2d | nn.Linear, activation: Tensor, gradient: Tensor) -> None:
        product = activation * gradient
        if isinstance(layer, nn.Linear):
            product = product.movedim(-1, 1)
        of_channels = product.sum(tuple(range(2, product.ndim))) if product.ndim > 2 else product
        saliency = of_channels.square().mean(0) / 2
        if layer in self._seen:
            saliency = saliency + self._seen[layer].of_channels
        self._seen[layer] = Saliency(saliency, layer.weight.numel() // len(layer.weight))
