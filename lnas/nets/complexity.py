"""How dear a network is to compute."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lnas.nets.region_net import RegionNet
from lnas.types import Arch

_FLOPS_PER_MAC = 2


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
    weight = next(net.parameters())
    shape = image_size if isinstance(image_size, tuple) else (3, image_size, image_size)
    image = torch.zeros(1, *shape, device=weight.device, dtype=weight.dtype)
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(image, arch) if isinstance(net, RegionNet) else net(image)
    finally:
        for module, training in modes.items():
            module.training = training
    return counter.get_total_flops() // _FLOPS_PER_MAC
