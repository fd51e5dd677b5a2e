"""Every recorded value of the papers' own code on small deterministic nets, in float32 and float64."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lnas.nets import build_net
from lnas.proxies import PROXIES, score
from lnas.spaces import NatsTopologySpace
from lnas.testing.plain_proxies import PLAIN
from lnas.types import Estimate

pytestmark = pytest.mark.data

NAMES = {
    "grad_norm": "grad_norm",
    "plain": "plain",
    "snip": "snip",
    "grasp": "grasp",
    "fisher": "fisher",
    "fisher_per_channel": "fisher_channel",
    "synflow": "synflow",
    "synflow_bn": "synflow_bn",
    "jacob_cov": "jacob_cov",
    "naswot_logdet": "relu_logdet",
    "tenas_linear_regions": "linear_regions",
    "tenas_ntk_cond": "ntk_cond",
    "tegnas_ntk_cond": "ntk_cond",
    "tegnas_mse": "ntk_mse_cells",
}
RECORDS = 185
BLIND = {"params", "flops"}
SMALL = ("mlp_cnn", "residual_cnn", "nb201:all3x3", "nb201:withnone", "nb201:noconv")
ZERO_COST_NAS = tuple(f"zcnas_nb201_C16N5:{cell}" for cell in ("all3x3", "withnone", "noconv"))
OF_REGIONS = {  # shape of the images, and in how many batches they pass
    "plain_regions": ((300, 1, 3), 3),
    "thin:all3x3": ((300, 1, 3), 3),
    "thin:withnone": ((300, 1, 3), 3),
    "thin:noconv": ((300, 1, 3), 3),
    "mlp_cnn": ((64, 3, 2), 1),
    "nb201:withnone": ((64, 3, 4), 1),
}
DTYPES = {"float32": torch.float32, "float64": torch.float64}

Record = Mapping[str, Any]
in_both_precisions = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(scope="module")
def nets(oracle_nets: SimpleNamespace) -> SimpleNamespace:
    """Those, by a shorter name."""
    return oracle_nets


@pytest.fixture(scope="module")
def records(data_root: Path) -> list[Record]:
    """What the papers' code or an own formula gave, where both are held to be right, or there is one."""
    everything = json.loads((data_root / "oracles" / "oracles.json").read_text())
    usable = {"agree", "own formula only"}
    return [record for record in everything if record["metric"] in NAMES and record["status"] in usable]


@pytest.fixture(scope="module")
def edge_records(data_root: Path) -> list[Record]:
    everything = json.loads((data_root / "oracles" / "oracles.json").read_text())
    return [record for record in everything if record["case"] == "nb201:allskip" and record["metric"] in NAMES]


def of(records: list[Record], case: str, dtype: str) -> dict[str, Record]:
    """Return the records of a case by metric; those of regions have inputs of their own."""
    found = {record["metric"]: record for record in records if (record["case"], record["dtype"]) == (case, dtype)}
    found.pop("tenas_linear_regions", None)
    assert found
    return found


def assert_agree(found: Callable[[str], float], expected: Mapping[str, Record]) -> None:
    wrong = {
        metric: (found(metric), record["value"])
        for metric, record in expected.items()
        if not close(found(metric), record)
    }
    assert wrong == {}


def close(value: float, record: Record) -> bool:
    tolerance = record["tolerance"]
    return math.isclose(value, record["value"], rel_tol=0, abs_tol=tolerance["atol"]) or math.isclose(
        value, record["value"], rel_tol=tolerance["rtol"]
    )


class AllCells(nn.Module):
    """Counts a whole net as cells, as the records do for nets that have none."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.cells = net

    def forward(self, images: Tensor) -> Tensor:
        return self.cells(images)


def oracle_net(nets: SimpleNamespace, case: str, dtype: str) -> nn.Module:
    net = nets.build(case, DTYPES[dtype])
    return net if case.startswith("nb201") else AllCells(net)


def our_net(nets: SimpleNamespace, case: str, dtype: str) -> nn.Module:
    """Return our net with the oracle's weights, which are functions of their position."""
    text = (nets.NB201_ARCHS | nets.NB201_EDGE_ARCHS)[case.removeprefix("nb201:")]
    net = build_net(NatsTopologySpace().parse(text), channels=4, cells=1).double()
    return nets.fill(net).to(DTYPES[dtype])


def small_scores(nets: SimpleNamespace, net: nn.Module, dtype: str) -> dict[str, Estimate]:
    precision = DTYPES[dtype]
    test = nets.images(shift=2.0, dtype=precision), (nets.labels() + 3) % 10
    return score(net, nets.images(dtype=precision), nets.labels(), set(NAMES.values()), test=test)


def test_all_records_are_looked_at(records: list[Record]) -> None:
    looked_at = {
        (case, metric, dtype)
        for dtype in DTYPES
        for case in SMALL + ZERO_COST_NAS
        for metric in of(records, case, dtype)
    }
    looked_at |= {(case, "tenas_linear_regions", dtype) for dtype in DTYPES for case in OF_REGIONS}
    assert looked_at == {(record["case"], record["metric"], record["dtype"]) for record in records}
    assert len(records) == RECORDS


@in_both_precisions
@pytest.mark.parametrize("case", SMALL)
def test_on_the_oracles_nets(nets: SimpleNamespace, records: list[Record], case: str, dtype: str) -> None:
    found = small_scores(nets, oracle_net(nets, case, dtype), dtype)
    assert_agree(lambda metric: found[NAMES[metric]].value, of(records, case, dtype))


@in_both_precisions
@pytest.mark.parametrize("case", [case for case in SMALL if case.startswith("nb201")])
def test_on_our_nets(nets: SimpleNamespace, records: list[Record], case: str, dtype: str) -> None:
    found = small_scores(nets, our_net(nets, case, dtype), dtype)
    assert_agree(lambda metric: found[NAMES[metric]].value, of(records, case, dtype))


@pytest.mark.parametrize("case", ["mlp_cnn", "nb201:withnone"])
def test_of_the_plain_versions(nets: SimpleNamespace, records: list[Record], case: str) -> None:
    """Which the fast ones are compared with elsewhere."""
    batch = nets.images(dtype=torch.float64), nets.labels()
    test = nets.images(shift=2.0, dtype=torch.float64), (nets.labels() + 3) % 10

    def found(metric: str) -> float:
        options = {"test": test} if metric == "tegnas_mse" else {}
        return PLAIN[NAMES[metric]](oracle_net(nets, case, "float64"), *batch, **options)

    assert_agree(found, of(records, case, "float64"))


class PerBatchNorm(nn.BatchNorm2d):
    """Normalises three thirds of a batch each by its own statistics, as if they were three batches."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([super(PerBatchNorm, self).forward(third) for third in images.chunk(3)])


@in_both_precisions
@pytest.mark.parametrize("case", OF_REGIONS)
def test_linear_regions(nets: SimpleNamespace, records: list[Record], case: str, dtype: str) -> None:
    shape, batches = OF_REGIONS[case]
    net = nets.build(case, DTYPES[dtype])
    for module in net.modules():
        if batches == 3 and isinstance(module, nn.BatchNorm2d):
            module.__class__ = PerBatchNorm
    found = score(net, nets.images(*shape, dtype=DTYPES[dtype]), None, ["linear_regions"])["linear_regions"].value
    (expected,) = (
        record["value"]
        for record in records
        if (record["case"], record["metric"], record["dtype"]) == (case, "tenas_linear_regions", dtype)
    )
    assert found == round(expected)


def zero_cost_nas_options() -> dict[str, Any]:
    return {"channels": 16, "cells": 5, "affine": False, "bias": True}


def zero_cost_nas_nets(nets: SimpleNamespace, case: str, dtype: str) -> dict[str, nn.Module]:
    """Return the net of most measures, and that of synflow: without batch norms but in the residual blocks."""
    text = nets.NB201_ARCHS[case.partition(":")[2]]
    whole = nets.fill(nets.Nb201Net(text, **zero_cost_nas_options(), track=False).double())
    bare = nets.Nb201Net(text, **zero_cost_nas_options(), track=False, norm=False).double()
    bare.load_state_dict(whole.state_dict(), strict=False)
    return {"whole": whole.to(DTYPES[dtype]), "bare": bare.to(DTYPES[dtype])}


def assert_zero_cost_nas(
    nets: SimpleNamespace, records: list[Record], case: str, dtype: str, of_metric: Mapping[str, tuple[nn.Module, str]]
) -> None:
    """Compare metrics, each of which is a measure of a net."""
    expected = of(records, case, dtype)
    images, labels = nets.images(8, 3, 32, dtype=DTYPES[dtype]), nets.labels()
    asked: dict[nn.Module, list[str]] = {}
    for net, name in of_metric.values():
        asked.setdefault(net, []).append(name)
    found = {net: score(net, images, labels, names) for net, names in asked.items()}
    assert expected.keys() == of_metric.keys()
    assert_agree(lambda metric: found[of_metric[metric][0]][of_metric[metric][1]].value, expected)


ZERO_COST_METRICS = ("grad_norm", "plain", "snip", "grasp", "fisher", "jacob_cov", "synflow_bn")
zero_cost_cases = pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=() if "noconv" in case else pytest.mark.slow) for case in ZERO_COST_NAS],
)


@in_both_precisions
@zero_cost_cases
def test_on_the_nets_of_zero_cost_nas(nets: SimpleNamespace, records: list[Record], case: str, dtype: str) -> None:
    """Both batch-norm rules of synflow are that of the batch norms that are left in the net."""
    built = zero_cost_nas_nets(nets, case, dtype)
    of_metric = {metric: (built["whole"], metric) for metric in ZERO_COST_METRICS}
    assert_zero_cost_nas(nets, records, case, dtype, {**of_metric, "synflow": (built["bare"], "synflow_bn")})


@in_both_precisions
@zero_cost_cases
def test_on_our_nets_as_zero_cost_nas_has_them(
    nets: SimpleNamespace, records: list[Record], case: str, dtype: str
) -> None:
    arch = NatsTopologySpace().parse(nets.NB201_ARCHS[case.partition(":")[2]])
    net = build_net(arch, **zero_cost_nas_options(), track_running_stats=False).double()
    net = nets.fill(net).to(DTYPES[dtype])
    of_metric = {metric: (net, metric) for metric in ZERO_COST_METRICS}
    assert_zero_cost_nas(nets, records, case, dtype, {**of_metric, "synflow": (net, "synflow_residual_bn")})


@in_both_precisions
@pytest.mark.parametrize("build", [oracle_net, our_net])
def test_a_cell_without_a_path_has_a_size_and_nothing_else(nets: SimpleNamespace, build: Callable, dtype: str) -> None:
    """Where the released codes give noise, numbers of the biases alone, or -1."""
    net = build(nets, "nb201:allnone", dtype)
    found = score(net, nets.images(dtype=DTYPES[dtype]), nets.labels(), PROXIES)
    assert {name for name, estimate in found.items() if estimate.status == "ok"} == BLIND
    assert {name for name, estimate in found.items() if estimate.status == "nonfinite"} == PROXIES.keys() - BLIND


@in_both_precisions
@pytest.mark.parametrize("build", [oracle_net, our_net])
def test_a_cell_of_skips_has_every_number(
    nets: SimpleNamespace, edge_records: list[Record], build: Callable, dtype: str
) -> None:
    """Those of the released codes."""
    found = small_scores(nets, build(nets, "nb201:allskip", dtype), dtype)
    assert_agree(lambda metric: found[NAMES[metric]].value, of(edge_records, "nb201:allskip", dtype))
