"""How each zero-shot measure is taken, by protocol: which network, which inputs, how many numbers are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Inputs = Literal["images", "patches", "nothing"]
ZeroShotProtocolName = Literal["as_published", "as_released", "study"]


@dataclass(frozen=True)
class NetSetting:
    """Which network of an architecture is measured.

    Attributes:
        kind: "whole" is what the estimator's `net` builds; "thin" one as wide as a single channel, see
            `lnas.nets.build_thin_net`.
        weights: "own" are drawn for each architecture; "shared" make all architectures parts of one random supernet.
        options: What replaces the options of a `NetBuilder`.
        by_space: The same for single spaces.
    """

    kind: Literal["whole", "thin"] = "whole"
    weights: Literal["own", "shared"] = "own"
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    by_space: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def options_for(self, space: str) -> dict[str, Any]:
        """Return what replaces the options of a builder for an architecture of this space."""
        return {**self.options, **self.by_space.get(space, {})}

    @property
    def computes_dead_edges(self) -> bool:
        """Whether edges on no path from the input to the output have a part in what is measured."""
        return self.kind == "thin" or any(options.get("dead_edges") == "computed" for options in self.by_space.values())


@dataclass(frozen=True)
class ProbeSetting:
    """What networks are shown, and how often: measures with equal settings share networks, batches and passes.

    Attributes:
        net: Which network.
        inputs: "images" of the training split with as many to test on, where a measure tests, of the one to validate;
            "patches" of 3 x 3 pixels of one channel; "nothing" where at most the size of an image counts.
        batch_size: Images, or patches, per batch.
        batches: How many batches.
        repeats: How many networks, each with other weights.
        augment: Whether images are cropped and flipped as the data allows.
    """

    net: NetSetting
    inputs: Inputs
    batch_size: int
    batches: int = 1
    repeats: int = 1
    augment: bool = False


@dataclass(frozen=True)
class MeasureSetting:
    """How a measure is taken: its value is the mean over networks and batches.

    Attributes:
        proxy: Which of `lnas.proxies.PROXIES` computes it.
        probe: On what.
    """

    proxy: str
    probe: ProbeSetting


def _each(names: tuple[str, ...], probe: ProbeSetting) -> dict[str, MeasureSetting]:
    return {name: MeasureSetting(name, probe) for name in names}


_NATS = "nats_topology"
_COUNTS = ("params", "flops")
_OF_THE_LOSS = ("grad_norm", "plain", "snip", "grasp", "fisher", "fisher_channel", "jacob_cov")
_SYNFLOWS = ("synflow_log", "synflow_bn", "synflow_residual_bn")
_REGIONS = ("linear_regions", "linear_regions_grouped")
_KERNEL = ("ntk_cond", "ntk_mse", "ntk_mse_cells")

# The benchmarks' own counts are of all edges, as is the kernel of NASWOT's code; the study's code skips dead ones.
_ALL_EDGES = NetSetting(by_space={_NATS: {"dead_edges": "computed"}})
_LIVE_EDGES = NetSetting(by_space={_NATS: {"dead_edges": "skipped"}})
_COUNTED = ProbeSetting(_ALL_EDGES, "nothing", batch_size=2)
_NASWOT = ProbeSetting(_LIVE_EDGES, "images", batch_size=128)
_NASWOT_RELEASED = ProbeSetting(_ALL_EDGES, "images", batch_size=128)

# Zero-Cost NAS (Abdelfattah et al. 2021). Its cells have biases and batch norms that neither scale nor shift.
_ZERO_COST_CELLS: dict[str, Any] = {"affine": False, "track_running_stats": False, "bias": True}
_ZERO_COST = ProbeSetting(
    NetSetting(by_space={_NATS: {**_ZERO_COST_CELLS, "dead_edges": "skipped"}}), "images", batch_size=64, augment=True
)
_ZERO_COST_RELEASED = ProbeSetting(
    NetSetting(by_space={_NATS: {**_ZERO_COST_CELLS, "dead_edges": "computed"}}), "images", batch_size=64, augment=True
)

# TE-NAS and TEG-NAS (Chen et al. 2021) have sizes for two spaces; the others' nets are made as small.
_NARROW: dict[str, dict[str, Any]] = {
    _NATS: {"channels": 3, "cells": 1, "dead_edges": "skipped"},
    "darts": {"channels": 1, "cells": 2, "head": "norm_relu_pool"},
    "nats_size": {"channels": 3},
    "nasbench101": {"channels": 3, "cells": 1},
    "nasbench1shot1_1": {"channels": 3, "cells": 1},
    "nasbench1shot1_2": {"channels": 3, "cells": 1},
    "nasbench1shot1_3": {"channels": 3, "cells": 1},
    "nds_resnet": {"channels": 3},
    "nds_resnext_a": {"channels": 3},
}
_TEG = ProbeSetting(NetSetting(options={"init": "kaiming_normal"}, by_space=_NARROW), "images", 64, batches=3)
_TEG_REGIONS = ProbeSetting(NetSetting("thin", options={"init": "lecun_normal"}), "patches", 1000, batches=3)
_TEG_RELEASED = ProbeSetting(
    NetSetting(weights="shared", options={"init": "pytorch"}, by_space=_NARROW), "images", 64, repeats=3, augment=True
)
_TEG_REGIONS_RELEASED = ProbeSetting(
    NetSetting("thin", "shared", options={"init": "pytorch"}), "patches", 3000, repeats=3
)

# Ning et al. 2021, Evaluating Efficient Performance Estimators of Neural Architectures.
_STUDY = ProbeSetting(_LIVE_EDGES, "images", batch_size=128)

SETTINGS: dict[ZeroShotProtocolName, dict[str, MeasureSetting]] = {
    "as_published": {
        **_each(_COUNTS, _COUNTED),
        **_each((*_OF_THE_LOSS, *_SYNFLOWS), _ZERO_COST),
        "synflow": MeasureSetting("synflow_residual_bn", _ZERO_COST),
        "relu_logdet": MeasureSetting("relu_logdet", _NASWOT),
        **_each(_REGIONS, _TEG_REGIONS),
        **_each(_KERNEL, _TEG),
    },
    "as_released": {
        **_each(_COUNTS, _COUNTED),
        **_each((*_OF_THE_LOSS, *_SYNFLOWS), _ZERO_COST_RELEASED),
        "synflow": MeasureSetting("synflow_residual_bn", _ZERO_COST_RELEASED),
        "relu_logdet": MeasureSetting("relu_logdet", _NASWOT_RELEASED),
        "linear_regions": MeasureSetting("linear_regions_grouped", _TEG_REGIONS_RELEASED),
        "linear_regions_grouped": MeasureSetting("linear_regions_grouped", _TEG_REGIONS_RELEASED),
        **_each(_KERNEL, _TEG_RELEASED),
        "ntk_mse": MeasureSetting("ntk_mse_cells", _TEG_RELEASED),
    },
    "study": {
        "params": MeasureSetting("params", ProbeSetting(_LIVE_EDGES, "nothing", batch_size=2)),
        "flops": MeasureSetting("flops", _COUNTED),
        **_each((*_OF_THE_LOSS, "synflow", *_SYNFLOWS, "relu_logdet", *_REGIONS, *_KERNEL), _STUDY),
    },
}
"""Protocol -> measure -> how it is taken.

"as_published" follows the text of the papers, and their code where the text is silent; "as_released" the code where it
differs: it computes dead edges, which count in `relu_logdet`, and whose convolutions of zeros have biases, which count
in `fisher` and `synflow`; TEG-NAS takes three fixed networks with PyTorch's weights, and another kernel for `ntk_mse`.
"study" takes everything on the benchmark's network and 128 unaugmented images.
"""
