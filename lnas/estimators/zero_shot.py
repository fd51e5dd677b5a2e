"""Measures of an untrained network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, unknown_name
from lnas.estimators.base import Estimator
from lnas.proxies import PROXIES
from lnas.types import Arch, Estimate, describe


@dataclass(frozen=True)
class ZeroShotProtocol:
    """Everything that decides a zero-shot number."""

    net: Any
    num_classes: int
    measures: tuple[str, ...]


class ZeroShotEstimator(Estimator):
    """Build the network and measure it untrained.

    Args:
        net: Builds the network of an architecture.
        data: The task: how many classes.
        names: Which measures, of `lnas.proxies.PROXIES`.
    """

    def __init__(self, net: Callable[[Arch, int], Any], data: ImageData, names: Sequence[str] = ("params",)) -> None:
        for name in names:
            if name not in PROXIES:
                raise UsageError(f"ZeroShotEstimator(names={list(names)!r}): {unknown_name('measure', name, PROXIES)}")
        self._net = net
        self._data = data
        self._names = tuple(names)

    @property
    def measures(self) -> Mapping[str, bool]:
        return {name: PROXIES[name].higher_is_better for name in self._names}

    @property
    def protocol(self) -> ZeroShotProtocol:
        return ZeroShotProtocol(describe(self._net), self._data.num_classes, self._names)

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        import torch

        # Counting needs shapes alone: the meta device allocates nothing and draws nothing.
        with torch.device("meta"):
            net = self._net(candidate, self._data.num_classes)
        estimates = {}
        for name in self._names:
            started = time.perf_counter()
            value = PROXIES[name].measure(net)
            estimates[name] = Estimate.of(value, time.perf_counter() - started)
        return estimates
