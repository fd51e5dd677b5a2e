"""The zero-shot measures by name. Torch-free: the functions are imported when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

Observation = Literal[
    "net",
    "images",
    "relu_agreement",
    "relu_codes",
    "features",
    "fit_labels",
    "test_features",
    "test_labels",
    "weights",
    "gradients",
    "saliencies",
    "hessian_gradients",
    "input_gradients",
    "weight_gram",
    "cell_grams",
]
"""What a measure may need; `lnas.proxies.observation` says what each is."""

_ZERO_COST = "Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS"
_NASWOT = "Mellor et al. 2021, Neural Architecture Search without Training"
_TE_NAS = "Chen et al. 2021, Neural Architecture Search on ImageNet in Four GPU Hours (TE-NAS)"
_TEG_NAS = "Chen et al. 2021, Understanding and Accelerating NAS with Training-Free and Theory-Grounded Metrics"


@dataclass(frozen=True)
class ProxyInfo:
    """What is known of a measure.

    Attributes:
        function: Where it is defined, as `module:name`; a pure function that returns a float.
        needs: What it is computed from: its arguments, in order.
        higher_is_better: Its direction.
        source: Where it comes from.
    """

    function: str
    needs: tuple[Observation, ...]
    higher_is_better: bool
    source: str

    def load(self) -> Callable[..., float]:
        """Import the function."""
        module, name = self.function.split(":")
        function: Callable[..., float] = getattr(import_module(module), name)
        return function


PROXIES = {
    "params": ProxyInfo(
        "lnas.proxies.params:params", ("net",), True, "Yang et al. 2023, Revisiting Training-free NAS Metrics, Sec. 3.1"
    ),
    "flops": ProxyInfo("lnas.proxies.flops:flops", ("net", "images"), True, f"{_ZERO_COST}, Sec. 4"),
    "grad_norm": ProxyInfo("lnas.proxies.grad_norm:grad_norm", ("gradients",), True, _ZERO_COST),
    "plain": ProxyInfo(
        "lnas.proxies.plain:plain", ("weights", "gradients"), True, "Mozer and Smolensky 1989, Skeletonization"
    ),
    "snip": ProxyInfo("lnas.proxies.snip:snip", ("weights", "gradients"), True, "Lee et al. 2019, SNIP"),
    "grasp": ProxyInfo("lnas.proxies.grasp:grasp", ("weights", "hessian_gradients"), True, "Wang et al. 2020, GraSP"),
    "fisher": ProxyInfo("lnas.proxies.fisher:fisher", ("saliencies",), True, f"Turner et al. 2020; {_ZERO_COST}"),
    "fisher_channel": ProxyInfo(
        "lnas.proxies.fisher:fisher_channel", ("saliencies",), True, "Turner et al. 2020, BlockSwap"
    ),
    "synflow": ProxyInfo("lnas.proxies.synflow:synflow", ("net", "images"), True, f"Tanaka et al. 2020; {_ZERO_COST}"),
    "synflow_log": ProxyInfo("lnas.proxies.synflow:synflow_log", ("net", "images"), True, "synflow, its logarithm"),
    "synflow_bn": ProxyInfo(
        "lnas.proxies.synflow:synflow_bn", ("net", "images"), True, "synflow with batch norms kept"
    ),
    "synflow_residual_bn": ProxyInfo(
        "lnas.proxies.synflow:synflow_residual_bn",
        ("net", "images"),
        True,
        f"{_ZERO_COST}: as released for NAS-Bench-201, batch norms kept in residual blocks",
    ),
    "jacob_cov": ProxyInfo(
        "lnas.proxies.jacob_cov:jacob_cov", ("input_gradients",), True, f"{_NASWOT}, first version; {_ZERO_COST}"
    ),
    "relu_logdet": ProxyInfo("lnas.proxies.relu_logdet:relu_logdet", ("relu_agreement",), True, f"{_NASWOT}, eq. 2"),
    "linear_regions": ProxyInfo(
        "lnas.proxies.linear_regions:linear_regions", ("relu_codes",), True, f"{_TE_NAS}; {_TEG_NAS}, eq. 6"
    ),
    "linear_regions_grouped": ProxyInfo(
        "lnas.proxies.linear_regions:linear_regions_grouped", ("net", "images"), True, f"{_TE_NAS}: as released"
    ),
    "ntk_cond": ProxyInfo("lnas.proxies.ntk_cond:ntk_cond", ("weight_gram",), False, f"{_TE_NAS}; {_TEG_NAS}, eq. 4"),
    "ntk_mse": ProxyInfo(
        "lnas.proxies.ntk_mse:ntk_mse",
        ("features", "fit_labels", "test_features", "test_labels"),
        False,
        f"{_TEG_NAS}, eq. 8 and 9",
    ),
    "ntk_mse_cells": ProxyInfo(
        "lnas.proxies.ntk_mse_cells:ntk_mse_cells",
        ("cell_grams", "fit_labels", "test_labels"),
        False,
        f"{_TEG_NAS}: as released, the kernel of the cells' weights",
    ),
}
"""The measures. Those of a name with a suffix are variants of the one without."""
