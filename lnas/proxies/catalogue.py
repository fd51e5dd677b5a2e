"""The zero-shot measures by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lnas.proxies.params import params

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ProxyInfo:
    """What is known of a measure: how to compute it, which way is better, and where it comes from."""

    measure: Callable[[nn.Module], float]
    higher_is_better: bool
    source: str


PROXIES = {
    "params": ProxyInfo(params, True, "Yang et al., Revisiting Training-free NAS Metrics, Sec. 3.1"),
}
