"""Thin networks against an independent build, released counts of regions, and DARTS' cells written out by hand."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lnas.errors import UsageError
from lnas.nets import RegionNet, ThinNetBuilder, build_thin_net, uniform_weights
from lnas.nets.thin import ThinDartsNet, ThinNatsTopologyNet
from lnas.spaces import SPACES, DartsSpace, NatsTopologySpace, SearchSpace
from lnas.spaces.darts.notation import EDGES, OPS, split_cells
from lnas.testing import NetContract
from lnas.types import Arch, Region, describe

TOPOLOGY, DARTS = NatsTopologySpace(), DartsSpace()
MIXED = TOPOLOGY.parse(
    "|nor_conv_1x1~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"
)
DEAD_NODE = TOPOLOGY.parse("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
NETS = {"nats_topology": ThinNatsTopologyNet, "darts": ThinDartsNet}


class TestThinNets(NetContract):
    samples = 3

    @pytest.fixture(params=[TOPOLOGY, DARTS], ids=NETS)
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        torch.manual_seed(0)
        return request.param

    @pytest.fixture
    def build(self, space: SearchSpace) -> type[RegionNet]:
        return NETS[space.name]

    @pytest.fixture
    def images(self) -> Tensor:
        return torch.randn(8, 1, 5, 5, generator=torch.Generator().manual_seed(0))


ORACLE_CELLS = ["all3x3", "withnone", "noconv", "mixed", "deadnode"]


@pytest.mark.data
@pytest.mark.parametrize("name", ORACLE_CELLS)
def test_logits_equal_those_of_an_independent_build(oracle_nets: SimpleNamespace, name: str) -> None:
    net = oracle_nets.fill(build_thin_net(TOPOLOGY.parse(oracle_nets.NB201_ARCHS[name])).double())
    images = oracle_nets.images(32, 1, 3, dtype=torch.float64)
    torch.testing.assert_close(
        net(images), oracle_nets.build(f"thin:{name}", torch.float64)(images), rtol=1e-12, atol=1e-12
    )


def patterns(net: nn.Module, images: Tensor) -> np.ndarray:
    """Return for each image which ReLU units are active, one row of zeros and ones."""
    seen: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda module, inputs, output: seen.append((output > 0).flatten(1)))
        for module in net.modules()
        if isinstance(module, nn.ReLU)
    ]
    with torch.no_grad():
        net(images)
    for hook in hooks:
        hook.remove()
    return torch.cat(seen, dim=1).numpy()


@pytest.mark.data
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["all3x3", "withnone", "noconv"])
def test_as_many_regions_as_the_released_code_counts(
    data_root: Path, oracle_nets: SimpleNamespace, name: str, dtype: torch.dtype
) -> None:
    records = json.loads((data_root / "oracles" / "oracles.json").read_text())
    wanted = {"case": f"thin:{name}", "metric": "tenas_linear_regions", "dtype": str(dtype).removeprefix("torch.")}
    (record,) = [entry for entry in records if entry | wanted == entry]
    net = oracle_nets.fill(build_thin_net(TOPOLOGY.parse(oracle_nets.NB201_ARCHS[name])).double()).to(dtype)
    batches = oracle_nets.images(300, 1, 3, dtype=dtype).split(100)
    found = np.concatenate([patterns(net, batch) for batch in batches])
    assert f"{found.shape[1]} units" in record["note"]
    assert len(np.unique(found, axis=0)) == round(record["value"])


def test_edges_that_lead_nowhere_are_computed() -> None:
    # Four convolutions on edges, each behind its ReLU; 3x3 units each, and as many in the head.
    assert patterns(build_thin_net(DEAD_NODE), torch.randn(4, 1, 3, 3)).shape[1] == (3 + 1) * 9
    without = build_thin_net(Arch("nats_topology", (0, *DEAD_NODE.genes[1:])))
    assert patterns(without, torch.randn(4, 1, 3, 3)).shape[1] == (2 + 1) * 9


def sizes(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def test_parameters_by_hand() -> None:
    # A 1x1 and a 3x3 convolution and another 1x1, a batch norm each; that of the head; classifier.
    assert sizes(build_thin_net(MIXED)) == (1 + 2) + (9 + 2) + (1 + 2) + 2 + (10 + 10)
    assert sizes(build_thin_net(MIXED, 7, channels=3)) == 2 * (9 + 6) + (81 + 6) + 6 + (21 + 7)


_OF_INPUTS = [("skip_connect", 0), ("skip_connect", 1)] * 4
_OUTPUTS = [2, 3, 4, 5]
SKIPS = DARTS.parse(
    f"Genotype(normal={_OF_INPUTS}, normal_concat={_OUTPUTS}, reduce={_OF_INPUTS}, reduce_concat={_OUTPUTS})"
)


def test_parameters_of_a_darts_net_by_hand() -> None:
    normal = 2 * (1 + 2)
    reduce = (1 * 2 + 4) + (4 * 2 + 4) + 8 * (2 * 2 + 4)
    assert sizes(build_thin_net(SKIPS)) == normal + reduce + 16 + (8 * 10 + 10)


def test_a_darts_net_has_a_normal_cell_and_a_reduction_cell() -> None:
    net = build_thin_net(SKIPS)
    features = net.stage_features(torch.randn(4, 1, 6, 6), ["cell1", "cell2"])
    assert features["cell1"].shape == (4, 4, 6, 6)
    assert features["cell2"].shape == (4, 8, 3, 3)


class ByHand:
    """The logits of a thin DARTS net, computed from its weights alone; sources count from 0, the two inputs."""

    def __init__(self, net: nn.Module) -> None:
        self.weights = dict(net.named_parameters())
        self.used: set[str] = set()

    def __call__(self, images: Tensor, arch: Arch) -> Tensor:
        normal, reduce = split_cells(arch.genes)
        first = self.cell("cells.0", images, images, normal, reduces=False)
        second = self.cell("cells.1", images, first, reduce, reduces=True)
        pooled = functional.relu(self.norm("head.0", second)).mean(dim=(2, 3))
        return functional.linear(pooled, self.take("classifier.weight"), self.take("classifier.bias"))

    def take(self, name: str) -> Tensor:
        self.used.add(name)
        return self.weights[name]

    def norm(self, path: str, x: Tensor) -> Tensor:
        mean, variance = x.mean(dim=(0, 2, 3), keepdim=True), x.var(dim=(0, 2, 3), unbiased=False, keepdim=True)
        scale, shift = (self.take(f"{path}.{name}")[:, None, None] for name in ("weight", "bias"))
        return (x - mean) / torch.sqrt(variance + 1e-5) * scale + shift

    def conv(self, path: str, x: Tensor, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> Tensor:
        weight = self.take(f"{path}.weight")
        return functional.conv2d(x, weight, None, stride, padding, dilation, groups=x.shape[1] // weight.shape[1])

    def preprocessed(self, path: str, x: Tensor) -> Tensor:
        return self.norm(f"{path}.2", self.conv(f"{path}.1", functional.relu(x)))

    def separable(self, path: str, x: Tensor, at: int, kernel: int, stride: int, dilation: int) -> Tensor:
        padding = dilation * (kernel - 1) // 2
        x = self.conv(f"{path}.{at + 1}", functional.relu(x), stride=stride, padding=padding, dilation=dilation)
        return self.norm(f"{path}.{at + 3}", self.conv(f"{path}.{at + 2}", x))

    def halved(self, path: str, x: Tensor) -> Tensor:
        """Take every other pixel, and those one further down and right, zeros where the image has ended."""
        x = functional.relu(x)
        shifted = torch.zeros_like(x)
        shifted[:, :, :-1, :-1] = x[:, :, 1:, 1:]
        both = [self.conv(f"{path}.conv_1", x[:, :, ::2, ::2]), self.conv(f"{path}.conv_2", shifted[:, :, ::2, ::2])]
        return self.norm(f"{path}.norm", torch.cat(both, dim=1))

    def operation(self, path: str, name: str, x: Tensor, stride: int) -> Tensor:
        kernel = int(name[-1]) if name[-1].isdigit() else 0
        match name.rsplit("_", 1)[0]:
            case "skip":
                return x if stride == 1 else self.halved(path, x)
            case "max_pool":
                return functional.max_pool2d(x, 3, stride, 1)
            case "avg_pool":
                return functional.avg_pool2d(x, 3, stride, 1, count_include_pad=False)
            case "sep_conv":
                return self.separable(path, self.separable(path, x, 0, kernel, stride, 1), 4, kernel, 1, 1)
            case _:
                return self.separable(path, x, 0, kernel, stride, 2)

    def cell(self, path: str, s0: Tensor, s1: Tensor, genes: tuple[int, ...], *, reduces: bool) -> Tensor:
        nodes = [self.preprocessed(f"{path}.preprocess0", s0), self.preprocessed(f"{path}.preprocess1", s1)]
        for target in range(2, 6):
            terms = [
                self.operation(
                    f"{path}.edges.{source}->{end}.{OPS[gene]}",
                    OPS[gene],
                    nodes[source],
                    2 if reduces and source < 2 else 1,
                )
                for (source, end), gene in zip(EDGES, genes, strict=True)
                if end == target and gene
            ]
            nodes.append(sum(terms[1:], terms[0]))
        return torch.cat(nodes[2:], dim=1)


@pytest.mark.parametrize("pixels", [3, 6])
@pytest.mark.parametrize("seed", range(6))
def test_a_darts_net_computes_what_is_written_out_by_hand(seed: int, pixels: int) -> None:
    torch.manual_seed(seed)
    arch = SKIPS if seed == 0 else DARTS.sample(np.random.default_rng(seed))
    net = build_thin_net(arch).double()
    for weight in net.parameters():
        nn.init.normal_(weight)
    images = torch.randn(5, 1, pixels, pixels, dtype=torch.float64)
    by_hand = ByHand(net)
    torch.testing.assert_close(net(images), by_hand(images, arch), rtol=1e-9, atol=1e-9)
    assert by_hand.used == by_hand.weights.keys()


def test_nine_units_have_at_most_512_patterns_and_more_units_more() -> None:
    torch.manual_seed(0)
    patches = torch.randn(1500, 1, 3, 3)
    no_convolution = build_thin_net(Arch("nats_topology", (1, 4, 1, 0, 4, 1)))
    few, many = (len(np.unique(patterns(net, patches), axis=0)) for net in (no_convolution, build_thin_net(MIXED)))
    assert 1 < few <= 512 < many


def test_initial_weights_by_name() -> None:
    torch.manual_seed(0)
    net = build_thin_net(MIXED, 50, 60, init="lecun_normal")
    weight = net.get_submodule("cell.edges.1->2.nor_conv_3x3")[1].weight
    assert weight.var().item() == pytest.approx(1 / (60 * 9), rel=0.05)
    assert not net.classifier.bias.any()


@pytest.mark.parametrize("arch", [MIXED, SKIPS])
def test_the_builder_binds_the_options_and_can_be_sent(arch: Arch) -> None:
    builder = pickle.loads(pickle.dumps(ThinNetBuilder(channels=2, init="kaiming_normal")))
    torch.manual_seed(0)
    one = builder(arch, 7)
    torch.manual_seed(0)
    other = build_thin_net(arch, 7, 2, init="kaiming_normal")
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    assert one(torch.randn(4, 2, 3, 3)).shape == (4, 7)


def test_protocols_name_the_builder_and_its_options() -> None:
    expected = {"class": "lnas.nets.thin_builder.ThinNetBuilder", "channels": 1, "init": "pytorch"}
    assert describe(ThinNetBuilder()) == expected


def test_the_builder_costs_no_torch() -> None:
    code = "import sys; from lnas.nets import ThinNetBuilder; ThinNetBuilder(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("space", sorted(SPACES.keys() - NETS.keys()))
def test_other_spaces_have_none(space: str) -> None:
    arch = SPACES[space]().sample(np.random.default_rng(0))
    with pytest.raises(UsageError, match=rf"expected an arch of nats_topology or darts, got '{space}'"):
        build_thin_net(arch)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("|none~0|",), "expected an Arch or a Region"),
        ((Arch("nats_topology", (9, 0, 0, 0, 0, 0)),), "9"),
        ((MIXED, 0), "expected num_classes >= 1, got 0"),
        ((MIXED, 10, 1.5), "expected channels >= 1, got 1.5"),
    ],
)
def test_bad_arguments_are_named(arguments: tuple, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_thin_net(*arguments)


def test_an_unknown_init_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown init 'lecun_norm'. Did you mean 'lecun_normal'"):
        ThinNetBuilder(init="lecun_norm")(MIXED, 10)  # type: ignore[arg-type]


def test_the_region_of_a_net_is_its_architecture() -> None:
    assert build_thin_net(SKIPS).region == Region.of(SKIPS)


def test_a_region_is_built_as_the_mixture_of_its_thin_nets() -> None:
    region = NatsTopologySpace().region.without(0, 0)
    torch.manual_seed(0)
    mixture = ThinNetBuilder()(region, 10)
    torch.manual_seed(0)
    supernet = build_thin_net(region)
    patches = torch.randn(6, 1, 3, 3)
    torch.testing.assert_close(mixture(patches), supernet(patches, weights=uniform_weights(region)))
