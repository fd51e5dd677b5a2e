"""Measures of an untrained network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lnas.data import ImageData
from lnas.errors import LnasError, UsageError, unknown_name
from lnas.estimators.base import Estimator
from lnas.proxies import PROXIES, ProxyInfo
from lnas.seeds import derive_seed
from lnas.types import Arch, Estimate, describe

if TYPE_CHECKING:
    from torch import nn


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
        from lnas.nets import isolated_randomness

        with isolated_randomness(derive_seed(seed, candidate, "zero_shot")):
            try:
                net = self._net(candidate, self._data.num_classes)
            except LnasError:
                raise
            except Exception as error:  # whatever a candidate's network does, the search goes on
                return dict.fromkeys(self.measures, Estimate.failure(error))
            return {name: _measured(PROXIES[name], net) for name in self._names}


def _measured(proxy: ProxyInfo, net: nn.Module) -> Estimate:
    started = time.perf_counter()
    try:
        value = proxy.measure(net)
    except Exception as error:
        return Estimate.failure(error, time.perf_counter() - started)
    return Estimate.of(value, time.perf_counter() - started)
