"""How dear a network is to compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lnas.nets.region_net import RegionNet
from lnas.types import Arch

_COUNTED = {functional.conv1d, functional.conv2d, functional.conv3d, functional.linear}


def count_macs(net: nn.Module, image_size: int | tuple[int, int, int] = 32, arch: Arch | None = None) -> int:
    """Count the multiply-accumulates of convolutions and linear layers for one image.

    The field's "FLOPs" are these. Batch norms, activations, pooling, sums and biases count nothing; the tables of
    NAS-Bench-201 and of pycls add the classifier's bias, one per class. Only what a forward pass computes is counted:
    for the benchmark's number of a NATS topology cell with dead edges build the net with `dead_edges="computed"`.

    Args:
        net: Any network of images; counted on one meta tensor where the net is on the meta device, else on one image.
        image_size: Height and width of a square image of three channels, in pixels; or channels, height and width.
        arch: The path, for a supernet.
    """
    weight = next(net.parameters(), torch.zeros(()))
    shape = image_size if isinstance(image_size, tuple) else (3, image_size, image_size)
    image = torch.zeros(1, *shape, device=weight.device, dtype=weight.dtype)
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        with _MacCounter() as counter, torch.no_grad():
            net(image, arch) if isinstance(net, RegionNet) else net(image)
    finally:
        for module, training in modes.items():
            module.training = training
    return counter.total


class _MacCounter(TorchFunctionMode):
    """Counts the products of convolutions and linear layers: each output number takes the weights of one channel.

    PyTorch's own counter looks at all operations below these, too, and takes two to three times as long.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if function in _COUNTED:
            weight = args[1] if len(args) > 1 else (kwargs or {})["weight"]
            self.total += result.numel() * weight[0].numel()
        return result
