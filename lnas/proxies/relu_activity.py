"""Which ReLU units are on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

_MANY_UNITS = 256
"""From here on bytes pay; of a single column, torch 2.14 multiplies them wrongly."""


class ReluWatcher(ABC):
    """Told of the units of every ReLU call of a forward pass."""

    @abstractmethod
    def see(self, active: Tensor) -> Any:
        """Take in which units are on, bool of shape (n, units), and return what is to be taken in again."""

    @abstractmethod
    def see_again(self, seen: Any) -> None:
        """Take in units that are on for the same images as others before; they stem from the same tensor."""


class ReluAgreement(ReluWatcher):
    """Counts for two images the units that are on for both or off for both.

    With x of zeros and ones, x x^T + (1 - x)(1 - x)^T = units - s_i - s_j + 2 x x^T, where s = diag(x x^T): one matrix
    product serves.
    """

    def __init__(self) -> None:
        self._units = 0
        self._products: Tensor | None = None

    def see(self, active: Tensor) -> tuple[int, Tensor]:
        seen = active.shape[1], _common_ones(active).double()
        self.see_again(seen)
        return seen

    def see_again(self, seen: tuple[int, Tensor]) -> None:
        units, products = seen
        self._units += units
        self._products = products.clone() if self._products is None else self._products.add_(products)

    def value(self) -> Tensor | None:
        """Return the counts, shape (n, n), float64; None where no unit was seen."""
        if self._products is None:
            return None
        on = self._products.diagonal()
        return self._units - on[:, None] - on[None, :] + 2 * self._products


class ReluCodes(ReluWatcher):
    """Packs the pattern of each image."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []

    def see(self, active: Tensor) -> None:
        self._parts.append(np.packbits(active.cpu().numpy(), axis=1))

    def see_again(self, seen: None) -> None:
        """Do nothing: the same units tell no images apart that they did not before."""

    def value(self) -> np.ndarray | None:
        """Return the patterns, shape (n, bytes); None where no unit was seen."""
        return np.concatenate(self._parts, axis=1) if self._parts else None


@contextmanager
def watched_relus(net: nn.Module, images: int, watchers: Sequence[ReluWatcher]) -> Iterator[None]:
    """Tell the watchers of every call of an `nn.ReLU` with a batch of so many images inside the block.

    ReLUs of one tensor, such as those that begin several edges out of a node, are looked at once. NATS topology nets
    compute what is the same for all images on fewer; that tells no images apart, and is not looked at.
    """
    known = WeakIdKeyDictionary()

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        source = inputs[0]
        if len(source) != images:
            return
        version, seen = known.get(source, (None, None))
        if version == source._version:
            for watcher, what in zip(watchers, seen, strict=True):
                watcher.see_again(what)
            return
        active = _active_units(output.detach())
        known[source] = source._version, [watcher.see(active) for watcher in watchers]

    relus = [module for module in net.modules() if isinstance(module, nn.ReLU)] if watchers else []
    hooks = [relu.register_forward_hook(look) for relu in relus]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _active_units(output: Tensor) -> Tensor:
    """Return which are positive, shape (n, units), in the order of the memory, so that nothing is moved."""
    if output.ndim == 4 and output.is_contiguous(memory_format=torch.channels_last):
        output = output.permute(0, 2, 3, 1)
    return (output > 0).flatten(1)


def _common_ones(active: Tensor) -> Tensor:
    """Return x x^T of a matrix of ones and zeros, exactly: by bytes where the processor multiplies those faster."""
    if active.device.type == "cpu" and active.shape[1] >= _MANY_UNITS and torch.cpu._is_vnni_supported():
        ones = active.view(torch.int8)
        return torch._int_mm(ones, ones.T)  # 8 times as fast as float32 with AMX
    ones = active.float()
    return ones @ ones.T
