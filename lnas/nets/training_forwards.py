"""Our networks computed with less work, for training: the same functions, hooks and parameters."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from lnas.nets.depthwise import is_wide_depthwise, wide_depthwise
from lnas.nets.mean_pooling import is_mean_pool_3x3, mean_pool_3x3
from lnas.nets.region_net import RegionNet

Forward = Callable[[Tensor], Tensor]
Found = MutableMapping[Tensor, dict[tuple[str, int], Tensor]]


def training_forwards(net: nn.Module) -> dict[nn.Module, Forward]:
    """Return, for ReLUs and 3x3 average poolings of our networks, the same function of their input, computed faster.

    In a cell every edge has modules of its own, which measures without training look into. In training, what several of
    them make of one tensor is computed once, and poolings are `mean_pool_3x3`. Numbers are the same up to rounding.

    Args:
        net: A `RegionNet`, or a module that has some among its own. Modules of anything else are left alone, since they
            may write over an activation, and so are modules with a forward pass of their own.

    Returns:
        Module -> forward, for `lnas.proxies.substitution.substituted`. Results are held no longer than the tensor they
        were computed of, and shared only where autograd records. Whatever takes an output must not write over it.
    """
    ours = _modules_of_ours(net)
    faster = {module: forward for module in ours if "forward" not in vars(module) and (forward := _forward(module))}
    found: Found = WeakIdKeyDictionary()
    return {module: partial(_once, forward, str(module), found) for module, forward in faster.items()}


def depthwise_forwards(net: nn.Module) -> dict[nn.Module, Forward]:
    """Return, for wide depthwise convolutions of our networks, `wide_depthwise`: gradients that are right, and faster.

    Of use to compiled networks, too, beside which `training_forwards` are needless.
    """
    return {
        module: partial(wide_depthwise, module)
        for module in _modules_of_ours(net)
        if "forward" not in vars(module) and is_wide_depthwise(module)
    }


def _modules_of_ours(net: nn.Module) -> list[nn.Module]:
    return [module for part in net.modules() if isinstance(part, RegionNet) for module in part.modules()]


def _forward(module: nn.Module) -> Forward | None:
    if type(module) is nn.ReLU and not module.inplace:
        return torch.relu
    return partial(mean_pool_3x3, module) if is_mean_pool_3x3(module) else None


def _once(forward: Forward, kind: str, found: Found, x: Tensor) -> Tensor:
    if x.grad_fn is None or not torch.is_grad_enabled():
        return forward(x)
    outputs = found.setdefault(x, {})
    key = kind, x._version
    if key not in outputs:
        outputs[key] = forward(x)
    return outputs[key]
