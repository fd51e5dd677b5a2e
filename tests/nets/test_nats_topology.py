"""Networks of the NATS topology space against an independent build, published sizes and the benchmark's table."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lnas.nets import build_net, build_supernet, uniform_weights
from lnas.nets.complexity import count_macs
from lnas.nets.nats_topology import _INPUTS
from lnas.proxies.params import params
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch, Region

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


class Cost(NamedTuple):
    """Parameters and multiply-accumulates, in the table's millions."""

    params_M: float  # noqa: N815
    flops_M: float  # noqa: N815


DATASETS = {"c10": (10, 32), "c100": (100, 32), "in16": (120, 16)}


def costs(text: str) -> dict[str, Cost]:
    """Build one network on the meta device and count it for the three data sets, as the benchmark does."""
    with torch.device("meta"):
        net = build_net(SPACE.parse(text), dead_edges="computed")
        counted, macs = {}, {}
        for name, (classes, pixels) in DATASETS.items():
            net.classifier = nn.Linear(64, classes)
            if pixels not in macs:
                macs[pixels] = count_macs(net, pixels) - 64 * classes
            # The benchmark's counter adds the classifier's bias.
            counted[name] = Cost(params(net) / 1e6, (macs[pixels] + 65 * classes) / 1e6)
    return counted


def assert_table_agrees(table: dict[str, list], rows: range | np.ndarray) -> None:
    for row in rows:
        for name, cost in costs(table["arch_str"][row]).items():
            assert cost.params_M == pytest.approx(table[f"params_M_{name}"][row], abs=5e-7), table["arch_str"][row]
            assert cost.flops_M == pytest.approx(table[f"flops_M_{name}"][row], abs=5e-6), table["arch_str"][row]


@pytest.fixture(scope="module")
def table(data_root: Path) -> dict[str, list]:
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = ["arch_str", *(f"{kind}_M_{name}" for kind in ("params", "flops") for name in DATASETS)]
    return parquet.read_table(data_root / "nb201" / "nb201_accuracy.parquet", columns=columns).to_pydict()


@pytest.mark.data
def test_parameters_equal_the_benchmark_table(table: dict[str, list]) -> None:
    for row in np.random.default_rng(0).choice(SPACE.size, size=100, replace=False):
        with torch.device("meta"):
            built = params(build_net(SPACE.parse(table["arch_str"][row])))
        assert built / 1e6 == pytest.approx(table["params_M_c10"][row], abs=5e-7)


@pytest.mark.slow
@pytest.mark.data
def test_parameters_and_flops_of_the_three_data_sets_equal_the_benchmark_table(table: dict[str, list]) -> None:
    assert_table_agrees(table, np.random.default_rng(1).choice(SPACE.size, size=30, replace=False))


@pytest.mark.data
@pytest.mark.slow
def test_parameters_and_flops_of_all_cells_equal_the_benchmark_table(table: dict[str, list]) -> None:
    assert_table_agrees(table, range(SPACE.size))


@pytest.mark.data
@pytest.mark.parametrize("name", ["all3x3", "withnone", "noconv", "mixed", "deadnode", "allnone", "allskip"])
def test_logits_equal_those_of_an_independent_build(oracle_nets: SimpleNamespace, name: str) -> None:
    text = (oracle_nets.NB201_ARCHS | oracle_nets.NB201_EDGE_ARCHS)[name]
    expected = oracle_nets.build(f"nb201:{name}", torch.float64)
    net = oracle_nets.fill(build_net(SPACE.parse(text), channels=4, cells=1).double()).train()
    images = oracle_nets.images(dtype=torch.float64)
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


def shaken(genes: tuple[int, ...], dead_edges: str, training: bool) -> Tensor:
    """Return logits with batch norms that scale and shift."""
    torch.manual_seed(0)
    net = build_net(Arch("nats_topology", genes), 10, 4, 1, dead_edges=dead_edges).double().train(training)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return net(torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64))


# A convolution of zeros, behind a node without input: alone, behind another one, and in cells with and without a path.
OF_ZEROS = [(0, 0, 0, 3, 3, 3), (0, 0, 3, 1, 0, 2), (0, 3, 2, 3, 0, 3), (0, 0, 1, 1, 2, 4), (0, 0, 0, 0, 3, 0)]
OTHERS = [(3, 3, 3, 3, 3, 3), (0, 0, 0, 0, 0, 0), (3, 3, 0, 1, 0, 3), (2, 4, 3, 1, 2, 4), (0, 1, 4, 3, 1, 1)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("genes", OF_ZEROS + OTHERS)
def test_what_the_benchmark_computes_for_nothing_changes_no_logits(genes: tuple[int, ...], training: bool) -> None:
    """Up to the last bits, for zeros are computed for two images and then stand for all."""
    found, expected = shaken(genes, "benchmark", training), shaken(genes, "computed", training)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("genes", OF_ZEROS)
def test_skipping_convolutions_of_zeros_is_another_function(genes: tuple[int, ...]) -> None:
    assert (shaken(genes, "benchmark", False) - shaken(genes, "skipped", False)).abs().max() > 0.01


@pytest.mark.parametrize("genes", OTHERS)
def test_without_convolutions_of_zeros_skipping_changes_nothing(genes: tuple[int, ...]) -> None:
    assert torch.equal(shaken(genes, "benchmark", False), shaken(genes, "skipped", False))


def test_number_of_cells_with_convolutions_of_zeros() -> None:
    cells = list(itertools.product(range(5), repeat=6))
    assert sum(_INPUTS["benchmark"](genes) != _INPUTS["skipped"](genes) for genes in cells) == 2140


def test_uniform_mixture_is_the_mean_of_the_operations_on_every_edge() -> None:
    """Against a forward pass written out from the definition."""
    torch.manual_seed(0)
    net = build_supernet(SPACE, channels=4, cells=1).double().eval()
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    x = net.stem(images)
    for block in net.blocks:
        if not hasattr(block, "edges"):
            x = block(x)
            continue
        nodes = [x]
        for target in range(1, 4):
            terms = [
                operation(nodes[source])
                for source in range(target)
                for operation in block.edges[f"{source}->{target}"].values()
            ]
            nodes.append(sum(terms) / 5)
        x = nodes[-1]
    expected = net.classifier(net.head(x))
    weights = [torch.full_like(vector, 1 / 5, dtype=torch.float64) for vector in uniform_weights(net.region)]
    torch.testing.assert_close(net(images, weights=weights), expected, rtol=1e-12, atol=1e-12)


def test_a_pruned_supernet_has_the_modules_of_its_region_only() -> None:
    region = SPACE.region.without(0, 3).replaced(5, (0, 1))
    net = build_supernet(region, channels=4, cells=1)
    names = {name.split("edges.")[1] for name, _ in net.named_parameters() if "edges." in name}
    assert not any(name.startswith(("0->1.nor_conv_3x3", "2->3")) for name in names)
    assert any(name.startswith("0->1.nor_conv_1x1") for name in names)
    assert params(net) < params(build_supernet(SPACE, channels=4, cells=1))


def test_supernet_of_one_cell_is_its_net() -> None:
    arch = SPACE.parse(MIXED)
    assert params(build_supernet(Region.of(arch), affine=True)) == params(build_net(arch))
