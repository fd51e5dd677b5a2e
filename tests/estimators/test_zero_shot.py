"""The zero-shot estimator: each protocol's networks and batches, shared where they are equal, the same in any order."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lnas.data import DigitsData, Split, SplitName
from lnas.errors import UsageError
from lnas.estimators import Estimator, ZeroShotEstimator
from lnas.estimators.zero_shot_nets import build_measured_net
from lnas.estimators.zero_shot_settings import SETTINGS, NetSetting
from lnas.nets import NetBuilder, build_net, build_thin_net, isolated_randomness
from lnas.proxies import PROXIES, score
from lnas.search import RandomSearch
from lnas.seeds import derive_seed
from lnas.spaces import SPACES, NatsTopologySpace
from lnas.store import protocol_key
from lnas.testing import EstimatorContract
from lnas.types import Arch, Estimate

SPACE = NatsTopologySpace()
NET = NetBuilder(channels=4, cells=1)
DATA = DigitsData()
ARCH = SPACE.parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|nor_conv_3x3~0|none~1|avg_pool_3x3~2|")
OTHER = SPACE.parse("|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|")
DEAD = SPACE.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
LIVE_AND_DEAD = SPACE.parse("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")


def estimator(*names: str, net: Any = NET, data: DigitsData = DATA, **options: Any) -> ZeroShotEstimator:
    return ZeroShotEstimator(net, data, names, **{"batch_size": 8, **options})


def values(estimates: Mapping[str, Estimate]) -> dict[str, tuple[str, str]]:
    return {name: (item.status, repr(item.value)) for name, item in estimates.items()}


class TestContract(EstimatorContract):
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "as published": {"names": ["params", "flops", "grad_norm", "synflow", "relu_logdet", "linear_regions"]},
        "as released": {"names": ["snip", "relu_logdet"], "protocol": "as_released", "repeats": 2},
        "study": {"names": ["jacob_cov", "linear_regions"], "protocol": "study", "batches": 2, "inputs": "noise"},
    }

    @pytest.fixture(params=OPTIONS)
    def estimator(self, request: pytest.FixtureRequest) -> Estimator:
        return ZeroShotEstimator(NetBuilder(2, 1), DATA, batch_size=4, **self.OPTIONS[request.param])

    @pytest.fixture
    def archs(self) -> Sequence[Arch]:
        return RandomSearch(SPACE, seed=3).ask(2)


def by_hand(net: nn.Module, names: Sequence[str], size: int) -> dict[str, float]:
    """The first batch of some size written out: drawn, scaled, and without augmentation."""
    rng = np.random.default_rng(derive_seed(0, "zero_shot", "train", 0))
    rows = rng.choice(len(DATA.splits["train"]), size, replace=False)
    images, labels = DATA.splits["train"].take(rows)
    images = ((images / 255 - DATA.mean[0]) / DATA.std[0]).astype(np.float32)
    found = score(net, torch.from_numpy(images), torch.from_numpy(labels), names)
    return {name: item.value for name, item in found.items()}


def fresh(build: Callable[..., nn.Module], arch: Arch, repeat: int = 0, **options: Any) -> nn.Module:
    with isolated_randomness(derive_seed(0, arch, "zero_shot", repeat)):
        return build(arch, 10, **options)


def test_gradient_measures_are_those_of_the_cells_of_their_paper() -> None:
    options = {"affine": False, "track_running_stats": False, "bias": True, "dead_edges": "skipped"}
    net = fresh(build_net, ARCH, channels=4, cells=1, **options)
    names = ["grad_norm", "snip", "synflow_residual_bn"]
    found = estimator("grad_norm", "snip", "synflow", batch_size=None, augment=False).estimate(ARCH, seed=0)
    expected = by_hand(net, names, 64)
    assert [item.value for item in found.values()] == pytest.approx(list(expected.values()), rel=1e-6)


@pytest.mark.parametrize(
    ("protocol", "dead_edges"), [("as_published", "skipped"), ("as_released", "computed"), ("study", "skipped")]
)
def test_relu_logdet_is_of_128_images_and_of_dead_edges_as_released(protocol: str, dead_edges: str) -> None:
    net = fresh(build_net, LIVE_AND_DEAD, channels=4, cells=1, dead_edges=dead_edges)
    found = estimator("relu_logdet", protocol=protocol, batch_size=None).estimate(LIVE_AND_DEAD, seed=0)
    assert found["relu_logdet"].value == pytest.approx(by_hand(net, ["relu_logdet"], 128)["relu_logdet"], rel=1e-6)


def test_regions_are_those_of_thin_nets_on_patches() -> None:
    from lnas.data.patches import random_patches

    found = estimator("linear_regions", batches=2).estimate(OTHER, seed=0)["linear_regions"]
    net = fresh(build_thin_net, OTHER, init="lecun_normal")
    patches = [random_patches(DATA, 1000, seed=derive_seed(0, "zero_shot", "train", number)) for number in range(2)]
    each = [score(net, torch.from_numpy(part), None, ["linear_regions"])["linear_regions"].value for part in patches]
    assert found.detail["values"] == [each]
    assert found.value == np.mean(each)


def test_regions_as_released_are_of_three_nets_and_3000_patches() -> None:
    found = estimator("linear_regions", protocol="as_released").estimate(OTHER, seed=0)["linear_regions"]
    assert [len(row) for row in found.detail["values"]] == [1, 1, 1]
    assert 1000 < found.value <= 3000


def test_kernels_are_of_three_batches_as_published_and_of_three_nets_as_released() -> None:
    for protocol, shape in {"as_published": [3], "as_released": [1, 1, 1]}.items():
        measures = estimator("ntk_cond", "ntk_mse", protocol=protocol)
        found = measures.estimate(OTHER, seed=0)
        assert {item.status for item in found.values()} == {"ok"}
        assert [len(row) for row in found["ntk_mse"].detail["values"]] == shape
        assert set(measures.protocol.splits) == {"train", "val"}


def test_the_first_batch_of_many_is_the_only_one_of_one() -> None:
    one = estimator("snip").estimate(ARCH, seed=0)["snip"]
    many = estimator("snip", batches=3, repeats=2).estimate(ARCH, seed=0)["snip"]
    parts = np.array(many.detail["values"])
    assert parts.shape == (2, 3)
    assert parts[0, 0] == one.value
    assert len(np.unique(parts)) == 6
    assert many.value == pytest.approx(parts.mean(), rel=1e-12)


def test_measures_in_a_set_are_what_they_are_alone() -> None:
    names = ["params", "flops", "snip", "fisher", "jacob_cov", "relu_logdet", "linear_regions"]
    together = estimator(*names).estimate(ARCH, seed=0)
    for name in names:
        assert together[name].value == pytest.approx(estimator(name).estimate(ARCH, seed=0)[name].value, rel=1e-6)


@dataclass(frozen=True)
class Counting(NetBuilder):
    """Notes the options of what it builds."""

    built: ClassVar[list[NetBuilder]] = []

    def __call__(self, arch: Arch, num_classes: int) -> Any:
        self.built.append(self)
        return super().__call__(arch, num_classes)


@pytest.mark.parametrize(
    ("names", "options", "builds"),
    [
        (["params", "relu_logdet", "grad_norm", "synflow", "linear_regions"], {"protocol": "study"}, 1),
        (["params", "flops", "relu_logdet"], {"protocol": "as_released"}, 1),
        (["grad_norm", "snip", "jacob_cov", "synflow"], {"repeats": 2, "batches": 3}, 2),
        (["grad_norm", "relu_logdet"], {}, 2),
    ],
)
def test_measures_that_are_taken_alike_share_a_network(names: list[str], options: Any, builds: int) -> None:
    Counting.built.clear()
    estimator(*names, net=Counting(4, 1), **options).estimate(ARCH, seed=0)
    assert len(Counting.built) == builds


class Watched(nn.Module):
    """A user's network that notes what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(4, 10)

    def forward(self, images: Tensor) -> Tensor:
        self.shown.append(images.detach())
        return self.classifier(self.layers(images))


@pytest.fixture
def watched() -> Watched:
    torch.manual_seed(0)
    return Watched()


def test_measures_that_are_taken_alike_share_a_pass(watched: Watched) -> None:
    own = estimator("relu_logdet", "grad_norm", "snip", "fisher", net=lambda arch, classes: watched, protocol="study")
    found = own.estimate(ARCH, seed=0)
    assert {item.status for item in found.values()} == {"ok"}
    assert len(watched.shown) == 1


def test_all_architectures_and_weights_see_the_same_batches(watched: Watched) -> None:
    own = estimator("snip", net=lambda arch, classes: watched, batches=2, repeats=2, augment=True)
    own.estimate(ARCH, seed=0)
    own.estimate(OTHER, seed=1)
    first, second = watched.shown[:2]
    assert len(watched.shown) == 8
    assert not torch.equal(first, second)
    assert all(torch.equal(images, (first, second)[number % 2]) for number, images in enumerate(watched.shown))


def test_noise_is_standard_normal_and_of_the_images_shape(watched: Watched) -> None:
    own = estimator("snip", net=lambda arch, classes: watched, inputs="noise", batch_size=200)
    own.estimate(ARCH, seed=0)
    (noise,) = watched.shown
    assert noise.shape == (200, 3, 8, 8)
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)


def test_a_callable_of_ones_own_is_used_as_it_is_with_its_weights(watched: Watched) -> None:
    before = {name: value.clone() for name, value in watched.state_dict().items()}
    own = estimator("grad_norm", net=lambda arch, classes: watched, protocol="as_released", augment=False)
    found = own.estimate(ARCH, seed=0)["grad_norm"].value
    assert found == pytest.approx(by_hand(watched, ["grad_norm"], 8)["grad_norm"], rel=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in watched.state_dict().items())
    assert own.measured_per == {"grad_norm": "architecture"}


def test_double_precision_is_the_same_number_with_more_digits() -> None:
    single, double = (
        estimator("snip", dtype=dtype).estimate(ARCH, seed=0)["snip"].value for dtype in ("float32", "float64")
    )
    assert single != double
    assert single == pytest.approx(double, rel=1e-4)


class Unreadable(DigitsData):
    def load(self) -> dict[SplitName, Split]:
        raise AssertionError("images were read")


def test_params_read_no_image() -> None:
    own = estimator("params", data=Unreadable())
    assert own.estimate(DEAD, seed=0)["params"].value == 4894
    assert own.protocol.splits == {}
    with pytest.raises(AssertionError, match="images were read"):
        _ = estimator("flops", data=Unreadable()).protocol


def test_params_and_flops_are_the_benchmarks_own() -> None:
    """Of all edges, dead ones too: here a convolution into a node that nothing leaves."""
    found = ZeroShotEstimator(NetBuilder(), DATA, ["params", "flops"]).estimate(LIVE_AND_DEAD, seed=0)
    net = build_net(LIVE_AND_DEAD, dead_edges="skipped")
    skipped = score(net, torch.zeros(2, 3, 8, 8), None, ["params", "flops"])
    one_convolution = 9 * sum(5 * width**2 * pixels**2 for width, pixels in ((16, 8), (32, 4), (64, 2)))
    assert found["params"].value == skipped["params"].value
    assert found["flops"].value == skipped["flops"].value + one_convolution


@pytest.mark.parametrize("options", [{}, {"protocol": "as_released"}, {"inputs": "noise"}])
def test_a_pickled_copy_measures_the_same_without_the_batches(options: dict[str, Any]) -> None:
    own = estimator("snip", "linear_regions", **options)
    assert DATA.splits  # read once, which is not what is counted here
    before = len(pickle.dumps(own))
    found = values(own.estimate(ARCH, seed=0))
    assert len(pickle.dumps(own)) == before
    assert values(pickle.loads(pickle.dumps(own)).estimate(ARCH, seed=0)) == found


@pytest.mark.parametrize(
    "change",
    [
        {"net": NetBuilder(8, 1)},
        {"protocol": "study"},
        {"batches": 2},
        {"batch_size": 9},
        {"repeats": 2},
        {"inputs": "noise"},
        {"augment": False},
        {"batch_seed": 1},
        {"dtype": "float64"},
        {"data": DigitsData(seed=1)},
        {"data": DigitsData(noise=0.1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_a_number_changes_the_protocol_and_the_number(change: dict[str, Any]) -> None:
    one, other = estimator("snip"), estimator("snip", **change)
    assert protocol_key(one.protocol) != protocol_key(other.protocol)
    assert one.estimate(ARCH, seed=0)["snip"].value != other.estimate(ARCH, seed=0)["snip"].value


def test_what_changes_no_number_changes_no_protocol() -> None:
    one = estimator("snip", protocol="as_published", batches=1, augment=True, data=DigitsData())
    assert protocol_key(one.protocol) == protocol_key(estimator("snip").protocol)
    params = estimator("params", batch_seed=1, batches=3, data=DigitsData(seed=1))
    assert protocol_key(params.protocol) == protocol_key(estimator("params").protocol)


def test_another_seed_is_another_network() -> None:
    own = estimator("snip")
    assert own.estimate(ARCH, seed=0)["snip"].value != own.estimate(ARCH, seed=1)["snip"].value


def test_a_network_that_cannot_be_built_is_a_failure_with_its_reason() -> None:
    def broken(arch: Arch, num_classes: int) -> object:
        raise MemoryError("no room")

    found = estimator("params", "snip", net=broken, repeats=2).estimate(ARCH, seed=0)
    assert {item.status for item in found.values()} == {"failed"}
    assert {item.detail["error"] for item in found.values()} == {"MemoryError: no room"}
    assert found["snip"].detail["at"] == [0, 0]


def test_a_network_that_raises_fails_what_is_seen_of_it() -> None:
    class Broken(Watched):
        def forward(self, images: Tensor) -> Tensor:
            raise RuntimeError("shapes")

    found = estimator("params", "snip", net=lambda arch, classes: Broken(), protocol="study").estimate(ARCH, seed=0)
    assert {name: item.status for name, item in found.items()} == {"params": "ok", "snip": "failed"}
    assert found["snip"].detail["error"] == "RuntimeError: shapes"


def test_one_network_of_several_without_a_number_leaves_none() -> None:
    class Sometimes:
        """Builds a network of NaNs the second time."""

        calls = 0

        def __call__(self, arch: Arch, num_classes: int) -> nn.Module:
            net = Watched()
            self.calls += 1
            if self.calls == 2:
                nn.init.constant_(net.classifier.weight, math.nan)
            return net

    found = estimator("snip", net=Sometimes(), repeats=3).estimate(ARCH, seed=0)["snip"]
    assert found.status == "nonfinite"
    assert found.detail["at"] == [1, 0]
    assert [[part is None for part in row] for row in found.detail["values"]] == [[False], [True], [False]]


@pytest.mark.parametrize("protocol", SETTINGS)
def test_a_dead_cell_has_nothing_but_a_size(protocol: str) -> None:
    found = estimator(*PROXIES, protocol=protocol).estimate(DEAD, seed=0)
    assert {name for name, item in found.items() if item.status == "ok"} == {"params", "flops"}
    assert {item.status for item in found.values()} == {"ok", "nonfinite"}


@pytest.mark.parametrize("kind", ["whole", "thin"])
@pytest.mark.parametrize("init", ["pytorch", "kaiming_normal"])
def test_shared_weights_are_those_of_one_supernet(kind: Any, init: Any) -> None:
    """What two cells both have on an edge is the same, whatever else they have; weights of their own differ."""
    shared = NetSetting(kind, "shared", options={"init": init})
    own = replace(shared, weights="own")
    one, other, drawn = (
        dict(build_measured_net(NET, setting, arch, 10, seed=3).named_parameters())
        for setting, arch in ((shared, OTHER), (shared, LIVE_AND_DEAD), (own, LIVE_AND_DEAD))
    )
    common = [name for name in one if name in other]
    assert any("edges.2->3.nor_conv_3x3" in name for name in common)
    assert all(torch.equal(one[name], other[name]) for name in common)
    assert not torch.equal(drawn["classifier.weight"], other["classifier.weight"])
    edges = [other[name] for name in other if "edges" in name and other[name].ndim == 4]
    assert not torch.equal(edges[0], edges[1])


@pytest.mark.parametrize("protocol", SETTINGS)
def test_every_measure_has_a_setting_in_every_protocol(protocol: Any) -> None:
    assert SETTINGS[protocol].keys() == PROXIES.keys()
    assert {setting.proxy for setting in SETTINGS[protocol].values()} <= PROXIES.keys()


@pytest.mark.parametrize("space", SPACES)
def test_every_space_has_networks_for_every_setting(space: str) -> None:
    arch = SPACES[space]().sample(np.random.default_rng(0))
    settings = [setting.probe.net for table in SETTINGS.values() for setting in table.values()]
    options = {str(each): each for each in (net.options_for(space) for net in settings if net.kind == "whole") if each}
    assert any("channels" in each for each in options.values())
    for each in options.values():
        with torch.device("meta"):
            assert replace(NetBuilder(channels=4), **each)(arch, 10).classifier.out_features == 10


def test_a_space_without_thin_networks_says_so() -> None:
    arch = SPACES["nasbench101"]().sample(np.random.default_rng(0))
    with pytest.raises(UsageError, match="expected an arch of nats_topology or darts, got 'nasbench101'"):
        estimator("linear_regions").estimate(arch, seed=0)


def test_a_network_of_ones_own_has_no_thin_one() -> None:
    with pytest.raises(UsageError, match=r'expected a NetBuilder for .linear_regions.*protocol="study" any'):
        estimator("linear_regions", net=lambda arch, classes: Watched())
    assert estimator("linear_regions", net=lambda arch, classes: Watched(), protocol="study").measures


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["param"], {}, r"unknown measure 'param'\. Did you mean 'params'\?"),
        ([], {}, r"expected a list of names, at least one, got \(\)"),
        (["snip"], {"protocol": "as_publised"}, r"unknown protocol 'as_publised'\. Did you mean 'as_published'\?"),
        (["snip"], {"inputs": "nois"}, r"unknown inputs 'nois'\. Did you mean 'noise'\?"),
        (["snip"], {"dtype": "float16"}, r"unknown dtype 'float16'"),
        (["snip"], {"batches": 0}, r"expected batches >= 1, or None for the protocol's, got 0"),
        (["snip"], {"batch_size": 1}, r"expected batch_size >= 2, or None for the protocol's, got 1"),
        ([1], {}, r"unknown measure '1'\."),
        (["snip"], {"augment": "no"}, r"expected a bool, or None for the protocol's, got 'no'"),
        (["snip"], {"repeats": 1.5}, r"expected repeats >= 1, or None for the protocol's, got 1\.5"),
    ],
)
def test_what_cannot_be_served_is_refused_at_construction(names: list[str], options: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        estimator(*names, **options)


def test_a_name_instead_of_names_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a list of names, at least one, got 'snip'"):
        ZeroShotEstimator(NET, DATA, "snip")


def test_more_images_than_there_are_is_refused() -> None:
    with pytest.raises(UsageError, match=r"at most the 897 images that a split of 'digits' has, got 898"):
        estimator("snip", batch_size=898).estimate(ARCH, seed=0)


def test_some_of_the_measures_are_taken_as_all_are() -> None:
    whole = estimator("params", "snip", "relu_logdet")
    some = whole.only(["snip"])
    assert some.measures == {"snip": True}
    assert protocol_key(some.protocol) == protocol_key(estimator("snip").protocol) != protocol_key(whole.protocol)
    assert some.estimate(ARCH, seed=0)["snip"].value == whole.estimate(ARCH, seed=0)["snip"].value
    with pytest.raises(UsageError, match="unknown measure 'synflow'"):
        whole.only(["synflow"])


def test_what_is_measured_once_for_a_class_of_twins() -> None:
    names = ["params", "flops", "snip", "relu_logdet", "linear_regions", "ntk_cond"]
    for protocol, shared in {
        "as_published": {"snip", "ntk_cond", "relu_logdet"},
        "as_released": {"ntk_cond"},
        "study": {"snip", "ntk_cond", "relu_logdet", "linear_regions"},
    }.items():
        expected = {name: "computational" if name in shared else "architecture" for name in names}
        assert estimator(*names, protocol=protocol).measured_per == expected


def tied(net: nn.Module) -> nn.Module:
    """Give all convolutions of a kernel in a cell the same weights, and the others those of their name."""
    with torch.no_grad():
        for name, weight in net.named_parameters():
            generator = torch.Generator().manual_seed(derive_seed(re.sub(r"edges\.\d->\d\.", "", name)))
            if weight.ndim > 1 or name.endswith("bias"):
                weight.copy_(torch.randn(weight.shape, generator=generator, dtype=weight.dtype) / 3)
    return net


# Cells of one function, each with as many live convolutions: dead edges, skips and the order of sums differ.
EQUAL_WITHIN_CLASS = [
    [(0, 0, 0, 3, 0, 0), (0, 0, 3, 3, 0, 3), (1, 0, 0, 0, 3, 0), (2, 3, 0, 3, 0, 0)],
    [(1, 0, 2, 3, 4, 3), (3, 2, 0, 4, 1, 3), (2, 1, 0, 3, 3, 4), (2, 4, 3, 3, 0, 1)],
    [(1, 2, 3, 0, 4, 2), (3, 2, 1, 4, 0, 2), (2, 3, 1, 4, 0, 2), (1, 2, 3, 4, 0, 2)],
    [(1, 1, 3, 2, 4, 4), (1, 3, 1, 4, 2, 4), (1, 1, 3, 4, 2, 4), (1, 3, 1, 2, 4, 4)],
]
OF_THE_LIVE_PART = [
    "relu_logdet",
    "linear_regions",
    "grad_norm",
    "plain",
    "snip",
    "grasp",
    "fisher",
    "fisher_channel",
    "synflow",
    "synflow_bn",
    "synflow_residual_bn",
    "jacob_cov",
    "ntk_cond",
    "ntk_mse",
]


def with_tied_weights(genes: tuple[int, ...], setting: NetSetting, names: Sequence[str]) -> dict[str, float]:
    arch = Arch("nats_topology", genes)
    options = {"channels": 3, "cells": 1, **setting.options_for(arch.space)}
    net = tied(build_net(arch, 10, **options).double())
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 8, 8, dtype=torch.float64, generator=generator)
    found = score(net, images, torch.arange(6), names)
    assert {item.status for item in found.values()} == {"ok"}
    return {name: item.value for name, item in found.items()}


@pytest.mark.parametrize("members", EQUAL_WITHIN_CLASS, ids=lambda members: "".join(map(str, members[0])))
@pytest.mark.parametrize("protocol", ["as_published", "study"])
def test_measures_of_the_live_part_are_equal_within_a_class(protocol: Any, members: list[tuple[int, ...]]) -> None:
    archs = [Arch("nats_topology", genes) for genes in members]
    assert len({SPACE.canonical(arch, "computational") for arch in archs}) == 1
    standing = estimator(*OF_THE_LIVE_PART, protocol=protocol).measured_per
    names = [name for name in OF_THE_LIVE_PART if standing[name] == "computational"]
    assert set(OF_THE_LIVE_PART) - set(names) <= {"linear_regions"}
    for setting in {SETTINGS[protocol][name].probe.net for name in names}:
        taken = [name for name in names if SETTINGS[protocol][name].probe.net == setting]
        first, *others = (with_tied_weights(genes, setting, taken) for genes in members)
        for other in others:
            assert other == pytest.approx(first, rel=1e-9)


def test_computed_dead_edges_tell_members_of_a_class_apart() -> None:
    members = EQUAL_WITHIN_CLASS[0]
    released = SETTINGS["as_released"]["relu_logdet"].probe.net
    assert len({round(with_tied_weights(genes, released, ["relu_logdet"])["relu_logdet"], 6) for genes in members}) > 1
    biased = SETTINGS["as_released"]["fisher"].probe.net
    fishers = [with_tied_weights(genes, biased, ["fisher"])["fisher"] for genes in members[:2]]
    assert fishers[1] > 100 * fishers[0]


def test_one_convolution_twice_is_not_two_convolutions_though_the_function_is_the_same() -> None:
    """326 of the 4,930 functional classes have members that differ in their live convolutions."""
    once, twice = (2, 0, 1, 0, 1, 1), (2, 0, 0, 2, 1, 0)
    archs = [Arch("nats_topology", genes) for genes in (once, twice)]
    assert len({SPACE.canonical(arch, "functional") for arch in archs}) == 1
    assert len({SPACE.canonical(arch, "computational") for arch in archs}) == 2
    names = ["relu_logdet", "fisher"]
    first, second = (with_tied_weights(genes, SETTINGS["study"]["snip"].probe.net, names) for genes in (once, twice))
    assert all(abs(first[name] / second[name] - 1) > 1e-3 for name in names)
