"""Paths and mixtures through the supernets whose architectures share slices of weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lnas.nets import RegionNet, build_net, build_supernet, uniform_weights
from lnas.nets.nats_size import NatsSizeNet
from lnas.nets.nds import NdsResNet, NdsResNeXtANet
from lnas.spaces.nats_size import NatsSizeSpace
from lnas.spaces.nds import NdsResNetSpace, NdsResNeXtASpace
from lnas.types import Arch, Region

SPACES = {space.name: space for space in (NatsSizeSpace(), NdsResNetSpace(), NdsResNeXtASpace())}
NETS = {"nats_size": NatsSizeNet, "nds_resnet": NdsResNet, "nds_resnext_a": NdsResNeXtANet}
CHANNELS = {"nats_size": 16, "nds_resnet": 4, "nds_resnext_a": 4}
# Depths of NDS nets that keep the tests quick.
SHALLOW = {"nats_size": 8, "nds_resnet": 3, "nds_resnext_a": 2}
FORMATS = (torch.contiguous_format, torch.channels_last)
each_space = pytest.mark.parametrize("name", SPACES)
quickly = settings(deadline=None, max_examples=8)
regions = st.integers(0, 10**6)


def shallow(name: str) -> Region:
    region = SPACES[name].region
    return Region(name, (*(allowed[: SHALLOW[name]] for allowed in region.choices[:3]), *region.choices[3:]))


def some_region(name: str, seed: int) -> Region:
    """Return some of the choices of each decision."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    drawn = [rng.choice(allowed, rng.integers(len(allowed)) + 1, replace=False) for allowed in shallow(name).choices]
    return Region(name, tuple(tuple(sorted(choices.tolist())) for choices in drawn))


def some_arch(region: Region, seed: int = 0) -> Arch:
    return SPACES[region.space].sample_from(region, np.random.default_rng(seed))


def some_supernet(region: Region, memory_format: torch.memory_format = torch.contiguous_format) -> RegionNet:
    """Return a supernet with the running statistics and affine parameters of some training."""
    net = build_supernet(region, channels=CHANNELS[region.space], affine=True).to(memory_format=memory_format)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for entry in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(entry)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net


def images(memory_format: torch.memory_format = torch.contiguous_format) -> Tensor:
    return torch.randn(4, 3, 8, 8).to(memory_format=memory_format)


def one_hot(region: Region, arch: Arch) -> list[Tensor]:
    pairs = zip(region.choices, arch.genes, strict=True)
    return [torch.tensor([float(choice == gene) for choice in allowed]) for allowed, gene in pairs]


def part_of(whole: Tensor, part: Tensor) -> Tensor:
    return whole[tuple(slice(size) for size in part.shape)]


@each_space
@pytest.mark.parametrize("memory_format", FORMATS)
@quickly
@given(seed=regions)
def test_a_path_is_its_stand_alone_net_bit_for_bit(name, memory_format, seed):
    region = some_region(name, seed)
    supernet = some_supernet(region, memory_format).eval()
    arch, x = some_arch(region, seed), images(memory_format)
    subnet = supernet.subnet(arch)
    fresh = build_net(arch, channels=CHANNELS[name]).to(memory_format=memory_format).eval()
    fresh.load_state_dict(subnet.state_dict())
    with torch.no_grad():
        logits = supernet(x, arch)
        assert torch.equal(logits, subnet(x))
        assert torch.equal(logits, fresh(x))
    assert logits.std() > 0


@each_space
@quickly
@given(seed=regions)
def test_gradients_and_statistics_reach_exactly_what_the_path_uses(name, seed):
    region = some_region(name, seed)
    supernet = some_supernet(region).double()
    arch, x = some_arch(region, seed), images().double()
    before = {key: value.clone() for key, value in supernet.named_buffers()}
    alone = build_net(arch, channels=CHANNELS[name]).double()
    alone.load_state_dict(supernet.subnet(arch).state_dict())
    for net in (supernet, alone):
        net(x, arch).square().sum().backward()
    expected = {key: weight.grad for key, weight in alone.named_parameters()}
    for key, weight in supernet.named_parameters():
        if key not in expected:
            assert weight.grad is None, key
            continue
        torch.testing.assert_close(part_of(weight.grad, expected[key]), expected[key])
        assert weight.grad.count_nonzero() == part_of(weight.grad, expected[key]).count_nonzero(), key
    trained = dict(alone.named_buffers())
    for key, value in supernet.named_buffers():
        if key in trained:
            part = part_of(before[key], trained[key])
            part.copy_(trained[key])
        torch.testing.assert_close(value, before[key])


@each_space
@pytest.mark.parametrize("training", [False, True])
@quickly
@given(seed=regions)
def test_a_mixture_of_one_path_is_the_path(name, training, seed):
    region = some_region(name, seed)
    supernet = some_supernet(region).double().train(training)
    arch, x = some_arch(region, seed), images().double()
    mixed = supernet(x, weights=[vector.double() for vector in one_hot(region, arch)])
    torch.testing.assert_close(mixed, supernet(x, arch), rtol=1e-9, atol=1e-9)


@each_space
def test_a_mixture_teaches_its_weights(name):
    torch.manual_seed(0)
    region = shallow(name)
    weights = [vector.requires_grad_() for vector in uniform_weights(region)]
    logits = build_supernet(region, channels=CHANNELS[name])(images(), weights=weights)
    logits.square().sum().backward()
    assert logits.isfinite().all()
    for vector in weights:
        assert vector.grad.count_nonzero() == len(vector)


@each_space
def test_weights_of_one_architecture_are_a_leading_part_of_the_supernets(name):
    with torch.device("meta"):
        whole = dict(NETS[name](SPACES[name].region).named_parameters())
        for seed in range(5):
            for key, weight in build_net(some_arch(SPACES[name].region, seed)).named_parameters():
                assert all(part <= size for part, size in zip(weight.shape, whole[key].shape, strict=True)), key


@each_space
@pytest.mark.parametrize("image_size", [32, 64, 224])
def test_stages_halve_the_resolution(name, image_size):
    arch = some_arch(shallow(name))
    net = build_net(arch, channels=8, image_size=image_size).eval()
    features = net.stage_features(torch.randn(1, 3, image_size, image_size), list(net.stages))
    assert list(features) == ["stem", "stage1", "stage2", "stage3", "head"]
    at_stem = {32: 32, 64: 32, 224: 28}[image_size]
    assert [feature.shape[2] for feature in list(features.values())[:4]] == [
        at_stem,
        at_stem,
        at_stem // 2,
        at_stem // 4,
    ]
    assert features["head"].shape == (1, net.classifier.in_features)


@each_space
@pytest.mark.parametrize("channels", [1, 3])
def test_the_narrowest_nets_work(name, channels):
    torch.manual_seed(0)
    region = shallow(name)
    supernet = build_supernet(region, channels=channels, num_classes=3)
    for seed in range(3):
        arch = some_arch(region, seed)
        assert supernet(images(), arch).shape == (4, 3)
        assert supernet(images(), arch).isfinite().all()


@each_space
def test_layers_options_apply_to_all_but_stem_and_head(name):
    arch = some_arch(shallow(name))
    net = build_net(arch, channels=8, affine=False, track_running_stats=False, bias=True)
    decided = "blocks" if name == "nats_size" else "trunk"
    for key, module in net.named_modules():
        plain = not key.startswith(decided) or (name == "nats_size" and key.startswith(("blocks.1", "blocks.3")))
        if isinstance(module, nn.BatchNorm2d):
            assert module.affine is module.track_running_stats is plain, key
        if isinstance(module, nn.Conv2d):
            assert (module.bias is None) is plain, key
