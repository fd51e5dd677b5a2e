"""Networks of the DARTS space against published sizes, an independent build and the laws of weight sharing."""

from __future__ import annotations

import collections
import functools
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from lnas.errors import UsageError
from lnas.nets import build_net, uniform_weights
from lnas.nets.darts import DartsCell, DartsNet
from lnas.nets.darts_operations import FactorizedReduce, drop_path
from lnas.nets.layers import PLAIN, Layers
from lnas.proxies.params import params
from lnas.spaces.darts.genotypes import GENOTYPES, published_genotype
from lnas.spaces.darts.notation import EDGES, OPS
from lnas.spaces.darts.space import DartsSpace
from lnas.types import Arch, Region

SPACE = DartsSpace()
SUPERNET = Layers(affine=False)
SMALL = {"channels": 4, "cells": 3}
SKIP = OPS.index("skip_connect")
# Three operations with weights, a pooling and the skip, on all edges; absence where it is possible.
PRUNED = Region(
    "darts", tuple((1, 3, 4, 6) if source + target < 4 else (0, 2, 3, 5, 7) for source, target in EDGES) * 2
)

# Millions of parameters for CIFAR-10 (C=36, 20 cells) and ImageNet (C=48, 14 cells), as the papers print them.
PUBLISHED = {
    "DARTS_V2": (3.3, 4.7),
    "SNAS_moderate": (2.8, 4.3),
    "GDAS": (3.4, None),
    "PDARTS": (3.4, 4.9),
    "PC_DARTS_cifar": (3.6, 5.3),
    "PC_DARTS_image": (None, 5.3),
    "SGAS_Cri1_CIFAR": (3.80, 5.29),
    "SGAS_Cri2_CIFAR": (4.09, 5.70),
    "TENAS_imagenet": (None, 5.4),
    "TEGNAS_RL": (3.6, 5.1),
    "TEGNAS_Evolution": (4.0, 5.6),
}
# Ours, held against `PUBLISHED`; DARTS' README has 3.349 and 4.719 for its second. For TENAS_cifar10 the paper has 3.8
# and 6.3, which the released genotype does not give.
COMPUTED = {
    "DARTS_V1": (3_169_414, 4_510_432),
    "DARTS_V2": (3_349_342, 4_718_752),
    "SNAS_moderate": (2_847_358, 4_312_576),
    "GDAS": (3_368_782, 4_969_216),
    "PDARTS": (3_433_798, 4_944_352),
    "PC_DARTS_cifar": (3_634_678, 5_270_560),
    "PC_DARTS_image": (3_721_510, 5_342_464),
    "SGAS_Cri1_CIFAR": (3_795_166, 5_285_440),
    "SGAS_Cri2_CIFAR": (4_094_110, 5_697_664),
    "DrNAS_cifar10": (4_099_294, 5_738_464),
    "DrNAS_imagenet": (4_048_750, 5_726_368),
    "TENAS_cifar10": (4_137_526, 5_868_640),
    "TENAS_imagenet": (3_779_398, 5_420_416),
    "TEGNAS_RL": (3_557_782, 5_134_336),
    "TEGNAS_Evolution": (3_979_846, 5_612_416),
}


def images_of(size: int = 16, count: int = 4) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def sampled(count: int, region: Region = SPACE.region) -> list[Arch]:
    rng = np.random.default_rng(0)
    return [SPACE.sample_from(region, rng) for _ in range(count)]


@functools.cache
def sizes_of(kind: str, name: str, channels: int, cells: int) -> tuple[int, int]:
    """Build a network of the released code and count its parameters, and those of its auxiliary head."""
    if kind == "search":
        return int(params(DartsNet(SPACE.region, 10, channels, cells, SUPERNET, pool_norm="batch"))), 0
    i = np.arange(1, 14 * 8 + 1)
    waves = (np.sin(0.37 * i**2 + 0.7 * i + phase).reshape(14, 8) for phase in (0.0, 1.3))
    region = Region.of(SPACE.from_alphas(*waves) if name == "from_alpha" else published_genotype(name))
    options = {"num_classes": 1000, "image_size": 224} if kind == "imagenet" else {}
    net = DartsNet(region, channels=channels, cells=cells, auxiliary=True, **options)
    head = int(params(net.auxiliary))
    return int(params(net)) - head, head


@pytest.mark.parametrize("name", GENOTYPES)
def test_published_genotypes_have_their_published_sizes(name: str) -> None:
    counts = (sizes_of("cifar", name, 36, 20)[0], sizes_of("imagenet", name, 48, 14)[0])
    assert counts == COMPUTED[name]
    for count, published in zip(counts, PUBLISHED.get(name, ()), strict=False):
        if published is not None:
            digits = 2 if name.startswith("SGAS") else 1
            assert abs(count / 1e6 - published) <= 0.5001 * 10**-digits


@pytest.mark.data
def test_parameters_are_those_of_the_released_code(data_root: Path) -> None:
    checked = collections.Counter()
    for record in json.loads((data_root / "oracles" / "oracles.json").read_text()):
        found = re.fullmatch(r"darts:(search|cifar|imagenet)_?(\w*)_(\d+)_(\d+)", record["case"])
        if found:
            net, head = sizes_of(found[1], found[2], int(found[3]), int(found[4]))
            assert record["value"] == (head if record["metric"] == "params_auxiliary_head" else net)
            checked[found[1]] += 1
    assert checked == {"search": 2, "cifar": 9, "imagenet": 4}


def test_defaults_are_those_of_the_benchmark() -> None:
    with torch.device("meta"):
        assert params(build_net(published_genotype("DARTS_V2"))) == 3_349_342


class PlainNet:
    """The released network for CIFAR in eval mode, from functions and the weights of one of ours."""

    def __init__(self, net: DartsNet, arch: Arch, cells: int, pool_norm: bool) -> None:
        self.state, self.arch, self.cells, self.pool_norm = net.state_dict(), arch, cells, pool_norm

    def __call__(self, images: Tensor) -> Tensor:
        s0 = s1 = self.norm("stem.0.1", self.conv("stem.0.0", images, padding=1))
        for index in range(self.cells):
            s0, s1 = s1, self.cell(index, s0, s1)
        return F.linear(s1.mean((2, 3)), self.state["classifier.weight"], self.state["classifier.bias"])

    def cell(self, index: int, s0: Tensor, s1: Tensor) -> Tensor:
        places = (self.cells // 3, 2 * self.cells // 3)
        reduction, name = index in places, f"cells.{index}"
        genes = self.arch.genes[14:] if reduction else self.arch.genes[:14]
        if index - 1 in places:
            s0 = self.factorized(f"{name}.preprocess0", s0)
        else:
            s0 = self.relu_conv_norm(f"{name}.preprocess0", 0, s0)
        states = [s0, self.relu_conv_norm(f"{name}.preprocess1", 0, s1)]
        for target in range(2, 6):
            node = [
                self.operation(f"{name}.edges.{source}->{target}", OPS[gene], states[source], reduction and source < 2)
                for (source, end), gene in zip(EDGES, genes, strict=True)
                if end == target and gene
            ]
            assert len(node) == 2
            states.append(node[0] + node[1])
        return torch.cat(states[2:], 1)

    def operation(self, edge: str, op: str, x: Tensor, halve: bool) -> Tensor:
        name, stride = f"{edge}.{op}", 2 if halve else 1
        if op == "skip_connect":
            return self.factorized(name, x) if halve else x
        if op == "max_pool_3x3":
            return self.pooled(name, F.max_pool2d(x, 3, stride, 1))
        if op == "avg_pool_3x3":
            ones = F.avg_pool2d(torch.ones_like(x), 3, stride, 1)
            return self.pooled(name, F.avg_pool2d(x, 3, stride, 1) / ones)
        kernel = int(op[-1])
        if op.startswith("dil"):
            return self.relu_conv_norm(name, 0, x, stride=stride, padding=kernel - 1, dilation=2)
        x = self.relu_conv_norm(name, 0, x, stride=stride, padding=kernel // 2, dilation=1)
        return self.relu_conv_norm(name, 4, x, stride=1, padding=kernel // 2, dilation=1)

    def relu_conv_norm(self, name: str, first: int, x: Tensor, **depthwise: int) -> Tensor:
        x, layer = x.clamp(min=0), first + 1
        if depthwise:
            x = self.conv(f"{name}.{layer}", x, groups=x.shape[1], **depthwise)
            layer += 1
        return self.norm(f"{name}.{layer + 1}", self.conv(f"{name}.{layer}", x))

    def factorized(self, name: str, x: Tensor) -> Tensor:
        x = x.clamp(min=0)
        even, odd = x[:, :, ::2, ::2], x[:, :, 1::2, 1::2]
        return self.norm(
            f"{name}.norm", torch.cat([self.conv(f"{name}.conv_1", even), self.conv(f"{name}.conv_2", odd)], 1)
        )

    def pooled(self, name: str, x: Tensor) -> Tensor:
        return self.norm(f"{name}.1", x) if self.pool_norm else x

    def conv(self, name: str, x: Tensor, **options: int) -> Tensor:
        return F.conv2d(x, self.state[f"{name}.weight"], **options)

    def norm(self, name: str, x: Tensor) -> Tensor:
        mean, var = (self.state[f"{name}.running_{what}"][:, None, None] for what in ("mean", "var"))
        x = (x - mean) / (var + 1e-5).sqrt()
        if f"{name}.weight" not in self.state:
            return x
        return x * self.state[f"{name}.weight"][:, None, None] + self.state[f"{name}.bias"][:, None, None]


def shaken(net: DartsNet) -> DartsNet:
    """Give the batch norms statistics, scales and shifts that are not the identity."""
    generator = torch.Generator().manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            if module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
                nn.init.normal_(module.bias, 0, 0.1, generator=generator)
    return net.eval()


@pytest.mark.parametrize("cells", [1, 2, 5])
def test_logits_equal_those_of_an_independent_build(cells: int) -> None:
    images = images_of().double()
    for arch in [published_genotype("TEGNAS_RL"), *sampled(2)]:
        net = shaken(DartsNet(Region.of(arch), channels=4, cells=cells).double())
        expected = PlainNet(net, arch, cells, pool_norm=False)(images)
        torch.testing.assert_close(net(images), expected, rtol=1e-10, atol=1e-10)


def supernet_of(region: Region, layers: Layers = SUPERNET, **options: object) -> DartsNet:
    torch.manual_seed(0)
    return shaken(DartsNet(region, layers=layers, pool_norm="batch", **(SMALL | options)))


def test_paths_of_the_supernet_equal_an_independent_build() -> None:
    supernet, images = supernet_of(SPACE.region).double(), images_of().double()
    for arch in sampled(3):
        expected = PlainNet(supernet, arch, SMALL["cells"], pool_norm=True)(images)
        torch.testing.assert_close(supernet(images, arch), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("region", [SPACE.region, PRUNED], ids=["whole", "pruned"])
@pytest.mark.parametrize("layers", [SUPERNET, PLAIN], ids=["not affine", "affine"])
@torch.no_grad()
def test_a_path_is_the_stand_alone_net_bit_for_bit(region: Region, layers: Layers) -> None:
    supernet, images = supernet_of(region, layers), images_of()
    states = supernet.state_dict()
    for arch in sampled(3, region):
        subnet = supernet.subnet(arch)
        fresh = DartsNet(Region.of(arch), layers=layers, pool_norm="batch", **SMALL).eval()
        fresh.load_state_dict(subnet.state_dict())
        assert {name: weight.shape for name, weight in fresh.state_dict().items()}.items() <= {
            name: weight.shape for name, weight in states.items()
        }.items()
        assert torch.equal(supernet(images, arch), subnet(images))
        assert torch.equal(supernet(images, arch), fresh(images))


@torch.no_grad()
def test_without_norms_after_poolings_a_path_is_the_net_that_build_net_makes() -> None:
    torch.manual_seed(0)
    supernet, images = shaken(DartsNet(SPACE.region, **SMALL)), images_of()
    for arch in sampled(3):
        net = build_net(arch, **SMALL).eval()
        net.load_state_dict(supernet.subnet(arch).state_dict())
        torch.testing.assert_close(net(images), supernet(images, arch))


@pytest.mark.parametrize("region", [SPACE.region, PRUNED], ids=["whole", "pruned"])
def test_gradients_reach_exactly_the_parameters_of_the_path(region: Region) -> None:
    supernet = supernet_of(region, PLAIN).train()
    for arch in sampled(3, region):
        supernet.zero_grad(set_to_none=True)
        supernet(images_of(), arch).square().sum().backward()
        reached = {name for name, weight in supernet.named_parameters() if weight.grad is not None}
        assert reached == {name for name, _ in supernet.subnet(arch).named_parameters()}


@torch.no_grad()
def test_a_mixture_of_one_is_the_path() -> None:
    torch.manual_seed(0)
    supernet, images = DartsNet(PRUNED, **SMALL).eval(), images_of()
    for arch in sampled(2, PRUNED):
        pairs = zip(arch.genes, PRUNED.choices, strict=True)
        weights = [torch.tensor([float(choice == gene) for choice in allowed]) for gene, allowed in pairs]
        torch.testing.assert_close(supernet(images, weights=weights), supernet(images, arch))


def cell_of(choices: Sequence[Sequence[int]], reduction: bool = False) -> DartsCell:
    torch.manual_seed(0)
    return DartsCell(choices, (6, 6), 4, reduction, False, PLAIN, "none").eval()


@pytest.mark.parametrize("reduction", [False, True])
@torch.no_grad()
def test_a_mixed_cell_sums_all_operations_by_their_weights(reduction: bool) -> None:
    cell = cell_of(SPACE.region.choices[:14], reduction).double()
    s0, s1 = torch.randn(2, 2, 6, 8, 8, dtype=torch.float64)
    weights = torch.rand(14, 8, dtype=torch.float64)
    states = [cell.preprocess0(s0), cell.preprocess1(s1)]
    for target in range(2, 6):
        states.append(
            sum(
                weights[EDGES.index((source, target)), op] * cell.edges[f"{source}->{target}"][OPS[op]](states[source])
                for source in range(target)
                for op in range(1, 8)
            )
        )
    torch.testing.assert_close(cell(s0, s1, list(weights)), torch.cat(states[2:], 1))


def test_gradients_of_a_mixture_reach_the_weights_but_that_of_none() -> None:
    supernet = supernet_of(SPACE.region).train()
    weights = [weight.requires_grad_() for weight in uniform_weights(SPACE.region)]
    supernet(images_of(), weights=weights).square().sum().backward()
    gradients = torch.stack([weight.grad for weight in weights])
    assert (gradients[:, 0] == 0).all()
    assert (gradients[:, 1:] != 0).all()


def test_factorized_reduction_sees_every_other_diagonal_pixel() -> None:
    reduce = FactorizedReduce(1, 2).eval()
    nn.init.ones_(reduce.conv_1.weight)
    nn.init.ones_(reduce.conv_2.weight)
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    expected = torch.tensor([[[0.0, 2], [8, 10]], [[5, 7], [13, 15]]])
    torch.testing.assert_close(reduce(image)[0], expected, rtol=1e-4, atol=1e-4)


def test_dropped_paths_are_whole_images_and_the_others_scaled() -> None:
    torch.manual_seed(0)
    kept = drop_path(torch.ones(4000, 2, 3, 3), 0.25)[:, 0, 0, 0]
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert kept.mean() == pytest.approx(1, abs=0.04)
    images = drop_path(torch.ones(50, 2, 3, 3), 0.5)
    assert (images == images[:, :1, :1, :1]).all()


ALL_SKIP = tuple(SKIP if edge in (0, 1, 2, 3, 5, 6, 9, 10) else 0 for edge in range(14))


@torch.no_grad()
def test_the_identity_is_never_dropped() -> None:
    s0, s1 = torch.randn(2, 64, 6, 8, 8)
    choices = [(gene,) for gene in ALL_SKIP]
    normal, reduction = cell_of(choices), cell_of(choices, reduction=True)
    assert torch.equal(normal(s0, s1, ALL_SKIP, 0.9), normal(s0, s1, ALL_SKIP))
    dropped = reduction(s0, s1, ALL_SKIP, 0.9).flatten(1).abs().amax(1) == 0
    assert 0 < dropped.sum() < 64


@torch.no_grad()
def test_paths_are_dropped_in_train_mode_only_and_with_the_probability_set() -> None:
    torch.manual_seed(0)
    net, images = DartsNet(Region.of(published_genotype("PDARTS")), drop_path=0.5, **SMALL), images_of()
    assert torch.equal(net.eval()(images), net(images))
    assert not torch.equal(net.train()(images), net(images))
    net.set_drop_path(0)
    assert torch.equal(net(images), net(images))


@pytest.mark.parametrize("probability", [-0.1, 1.0, 2])
def test_a_probability_that_is_none_is_refused(probability: float) -> None:
    with pytest.raises(UsageError, match="expected 0 <= probability < 1"):
        DartsNet(Region.of(published_genotype("PDARTS")), drop_path=probability, **SMALL)


@pytest.mark.parametrize(("image_size", "cells"), [(32, 3), (32, 5), (64, 3), (224, 3)])
def test_auxiliary_logits_come_with_the_others(image_size: int, cells: int) -> None:
    torch.manual_seed(0)
    region = Region.of(published_genotype("DARTS_V2"))
    net = DartsNet(region, 7, 2, cells, image_size=image_size, auxiliary=True).eval()
    images = images_of(image_size, count=2)
    logits, auxiliary = net.logits_with_auxiliary(images)
    assert torch.equal(logits, net(images))
    assert logits.shape == auxiliary.shape == (2, 7)
    seen: list[Tensor] = []
    net.cells[2 * cells // 3].register_forward_hook(lambda module, inputs, output: seen.append(output))
    net(images)
    assert torch.equal(net.auxiliary(seen[0]), auxiliary)
    (logits.sum() + auxiliary.sum()).backward()
    assert all(weight.grad is not None for weight in net.parameters())


def test_auxiliary_logits_are_refused_without_their_head() -> None:
    net = DartsNet(Region.of(published_genotype("DARTS_V2")), **SMALL)
    with pytest.raises(UsageError, match="expected a network with auxiliary=True"):
        net.logits_with_auxiliary(images_of())


def test_supernets_have_auxiliary_heads_too() -> None:
    supernet = supernet_of(SPACE.region, channels=2, auxiliary=True)
    (arch,) = sampled(1)
    images = images_of(32)
    for one, other in zip(
        supernet.logits_with_auxiliary(images, arch),
        supernet.subnet(arch).logits_with_auxiliary(images),
        strict=True,
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("image_size", "shapes"),
    [
        (32, {"stem": (12, 32), "stage1": (16, 32), "stage2": (32, 16), "stage3": (64, 8)}),
        (64, {"stem": (12, 32), "stage1": (16, 32), "stage2": (32, 16), "stage3": (64, 8)}),
        (224, {"stem": (4, 28), "stage1": (16, 28), "stage2": (32, 14), "stage3": (64, 7)}),
    ],
)
@torch.no_grad()
def test_stages_have_the_widths_and_resolutions_of_darts(image_size: int, shapes: dict[str, tuple[int, int]]) -> None:
    net = DartsNet(Region.of(published_genotype("DARTS_V2")), channels=4, cells=6, image_size=image_size).eval()
    features = net.stage_features(images_of(image_size, count=1), list(net.stages))
    assert {name: (value.shape[1], value.shape[2]) for name, value in features.items() if name != "head"} == shapes
    assert list(net.stages) == ["stem", "stage1", "stage2", "stage3", "head"]
    assert torch.equal(net.classifier(features["head"]), net(images_of(image_size, count=1)))


@pytest.mark.parametrize(
    ("cells", "stages"),
    [
        (1, {"stage2": "cells.0"}),
        (2, {"stage2": "cells.0", "stage3": "cells.1"}),
        (3, {"stage1": "cells.0", "stage2": "cells.1", "stage3": "cells.2"}),
        (20, {"stage1": "cells.5", "stage2": "cells.12", "stage3": "cells.19"}),
    ],
)
def test_stages_end_before_the_cells_that_reduce(cells: int, stages: dict[str, str]) -> None:
    with torch.device("meta"):
        net = DartsNet(Region.of(published_genotype("DARTS_V2")), channels=4, cells=cells)
    assert net.stages == {"stem": "stem.0", **stages, "head": "head"}


def test_layers_are_made_as_asked_but_for_stem_and_classifier() -> None:
    layers = Layers(affine=False, track_running_stats=False, bias=True)
    net = DartsNet(SPACE.region, layers=layers, pool_norm="batch", **SMALL)
    for name, module in net.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.affine is module.track_running_stats is name.startswith("stem")
        if isinstance(module, nn.Conv2d):
            assert (module.bias is None) is name.startswith("stem")


def test_norms_after_poolings_neither_scale_nor_shift() -> None:
    net = DartsNet(SPACE.region, layers=PLAIN, pool_norm="batch", **SMALL)
    pools = [module for name, module in net.named_modules() if name.endswith("pool_3x3")]
    assert len(pools) == 2 * 14 * SMALL["cells"]
    assert not any(pool[1].affine for pool in pools)


def test_a_node_without_edges_is_refused() -> None:
    region = SPACE.region
    for gene in range(16, 19):
        region = region.replaced(gene, (0,))
    with pytest.raises(UsageError, match="expected an edge into node 3 of the reduce cell"):
        DartsNet(region, **SMALL)


def test_absent_edges_are_not_computed() -> None:
    supernet = supernet_of(SPACE.region)
    (arch,) = sampled(1)
    called: list[str] = []
    for name, module in supernet.named_modules():
        if name.count(".") == 4 and ".edges." in name:
            module.register_forward_hook(lambda module, inputs, output, name=name: called.append(name))
    supernet(images_of(), arch)
    expected = [
        f"cells.{index}.edges.{source}->{target}.{OPS[gene]}"
        for index in range(3)
        for (source, target), gene in zip(EDGES, arch.genes[14:] if index else arch.genes[:14], strict=True)
        if gene
    ]
    assert sorted(called) == sorted(expected)


def test_networks_can_be_rebuilt_with_every_option() -> None:
    build = functools.partial(
        DartsNet, num_classes=3, layers=SUPERNET, image_size=64, auxiliary=True, pool_norm="batch", **SMALL
    )
    supernet = build(SPACE.region)
    (arch,) = sampled(1)
    names = {name for name, _ in build(Region.of(arch)).named_parameters()}
    assert {name for name, _ in supernet.subnet(arch).named_parameters()} == names
