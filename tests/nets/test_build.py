"""Networks of the NATS topology space against an independent build and published sizes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from lnas.errors import UsageError
from lnas.nets import NetBuilder, build_net
from lnas.proxies import params
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
ALL_CONV3 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
ALL_NONE = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
DEAD_NODE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
MIXED = "|nor_conv_1x1~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"


def parameters_by_hand(genes: tuple[int, ...], classes: int = 10) -> int:
    """Count from the published skeleton at C=16, N=5: convolutions, batch norms, classifier."""

    def conv(c_in: int, c_out: int, k: int) -> int:
        return c_in * c_out * k * k

    total = conv(3, 16, 3) + 32 + 128 + 64 * classes + classes
    for width in (16, 32, 64):
        ones, threes = genes.count(2), genes.count(3)
        total += 5 * (ones * (conv(width, width, 1) + 2 * width) + threes * (conv(width, width, 3) + 2 * width))
    for width in (32, 64):
        total += conv(width // 2, width, 3) + conv(width, width, 3) + 4 * width + conv(width // 2, width, 1)
    return total


@pytest.mark.parametrize("text", [ALL_CONV3, ALL_NONE, DEAD_NODE, MIXED])
def test_parameters_equal_the_shape_formula(text: str) -> None:
    arch = SPACE.parse(text)
    assert params(build_net(arch)) == parameters_by_hand(arch.genes)


def test_largest_cell_has_its_published_size() -> None:
    assert params(build_net(SPACE.parse(ALL_CONV3))) / 1e6 == pytest.approx(1.531546, abs=1e-6)


@pytest.mark.data
def test_parameters_equal_the_benchmark_table(data_root: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(data_root / "nb201" / "nb201_accuracy.parquet", columns=["arch_str", "params_M_c10"])
    rows = np.random.default_rng(0).choice(len(table), size=300, replace=False)
    for row in rows:
        arch = SPACE.parse(table["arch_str"][int(row)].as_py())
        with torch.device("meta"):
            built = params(build_net(arch))
        assert built / 1e6 == pytest.approx(table["params_M_c10"][int(row)].as_py(), abs=5e-7)


def oracle_nets(data_root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("oracle_nets", data_root / "oracles" / "nets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["oracle_nets"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
@pytest.mark.parametrize("name", ["all3x3", "withnone", "noconv", "mixed", "deadnode", "allnone", "allskip"])
def test_logits_equal_those_of_an_independent_build(data_root: Path, name: str) -> None:
    oracle = oracle_nets(data_root)
    text = (oracle.NB201_ARCHS | oracle.NB201_EDGE_ARCHS)[name]
    expected = oracle.build(f"nb201:{name}", torch.float64)
    net = oracle.fill(build_net(SPACE.parse(text), channels=4, cells=1).double()).train()
    images = oracle.images(dtype=torch.float64)
    torch.testing.assert_close(net(images), expected(images), rtol=1e-12, atol=1e-12)


def test_dead_edges_are_not_computed() -> None:
    net = build_net(SPACE.parse(DEAD_NODE), channels=4, cells=1)
    net(torch.randn(2, 3, 8, 8)).sum().backward()
    without = [name for name, weight in net.named_parameters() if weight.grad is None]
    assert without
    assert all("0->1" in name for name in without)


def test_a_cell_without_a_path_gives_zeros_and_still_a_gradient_to_the_classifier() -> None:
    net = build_net(SPACE.parse(ALL_NONE), channels=4, cells=1)
    logits = net(torch.randn(2, 3, 8, 8))
    torch.testing.assert_close(logits, net.classifier.bias.expand(2, -1))


def test_builder_binds_the_options() -> None:
    net = NetBuilder(channels=4, cells=1)(SPACE.parse(MIXED), 7)
    assert net.classifier.weight.shape == (7, 16)


def test_unknown_space_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown space 'nats_topolgy'. Did you mean 'nats_topology'"):
        build_net(Arch("nats_topolgy", (0,)))
