"""Synaptic flow: the products of absolute weights along all paths, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lnas.nets.nats_topology import ResidualBlock
from lnas.proxies.substitution import substituted
from lnas.proxies.weights import weight_names

_Modules = Callable[[nn.Module], set[nn.Module]]


def synflow(net: nn.Module, images: Tensor) -> float:
    """Sum |W * dR/dW| over the weights of convolutions and linear layers, R the sum of the logits for an image of ones.

    All parameters and buffers are replaced by their absolute values, and batch norms are left out, subclasses with
    whatever else they do. Data only tell the size of the image. Computed in float64, since values of 1e65 are common.
    NaN where the logits do not depend on the image.

    Source: Tanaka et al. 2020, as Abdelfattah et al. 2021 sum it for any net.
    """
    return _flow(net, images, kept=lambda net: set())


def synflow_log(net: nn.Module, images: Tensor) -> float:
    """Return the natural logarithm of `synflow`, which ranks alike and can be drawn."""
    value = synflow(net, images)
    return math.log(value) if value > 0 else math.nan


def synflow_bn(net: nn.Module, images: Tensor) -> float:
    """Compute `synflow` with all batch norms kept, which normalise by the one image's own statistics."""
    return _flow(net, images, kept=_batch_norms)


def synflow_residual_bn(net: nn.Module, images: Tensor) -> float:
    """Compute `synflow` with the batch norms of NATS residual blocks kept.

    The released code of Abdelfattah et al. 2021 leaves the others out of its NAS-Bench-201 nets and forgets these;
    their published correlation of 0.74 is with them.
    """
    return _flow(net, images, kept=_residual_batch_norms)


def _flow(net: nn.Module, images: Tensor, kept: _Modules) -> float:
    names = weight_names(net)
    every = (*net.named_parameters(), *net.named_buffers())
    values = {name: value.detach().double().abs() for name, value in every if value.is_floating_point()}
    weights = [values[name].requires_grad_() for name in names]
    ones = torch.ones((1, *images.shape[1:]), dtype=torch.float64, device=images.device).requires_grad_()
    left_out = dict.fromkeys(_batch_norms(net) - kept(net), lambda x: x)
    with substituted(left_out), torch.enable_grad():
        flow = torch.func.functional_call(net, values, (ones.clone(),)).sum()
        *gradients, of_image = torch.autograd.grad(flow, [*weights, ones], allow_unused=True)
    if of_image is None or not of_image.any():
        return math.nan
    reached = [(w.detach(), g) for w, g in zip(weights, gradients, strict=True) if g is not None]
    return sum(float((w * g).abs().sum()) for w, g in reached) if reached else math.nan


def _batch_norms(net: nn.Module) -> set[nn.Module]:
    return {module for module in net.modules() if isinstance(module, _BatchNorm)}


def _residual_batch_norms(net: nn.Module) -> set[nn.Module]:
    blocks = [module for module in net.modules() if isinstance(module, ResidualBlock)]
    return set().union(*(_batch_norms(block) for block in blocks))
