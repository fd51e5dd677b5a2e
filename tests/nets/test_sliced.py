"""Sliced layers against ordinary ones that hold a copy of the slice."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lnas.nets.layers import Layers
from lnas.nets.sliced import SlicedBatchNorm2d, SlicedConv2d, SlicedLayers, SlicedLinear, SlicedShortcut
from lnas.nets.widths import MixedWidth

FORMATS = (torch.contiguous_format, torch.channels_last)
quickly = settings(deadline=None, max_examples=40)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("memory_format", FORMATS)
@quickly
@given(
    c_in=st.integers(1, 12),
    c_out=st.integers(1, 12),
    kernel=st.sampled_from([1, 3]),
    stride=st.integers(1, 2),
    batch=st.integers(1, 3),
)
def test_part_of_a_convolution_is_the_convolution_of_the_part(bias, memory_format, c_in, c_out, kernel, stride, batch):
    whole = SlicedConv2d(12, 12, kernel, stride, kernel // 2, bias=bias).to(memory_format=memory_format)
    part = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=bias).to(memory_format=memory_format)
    part.weight.data.copy_(whole.weight[:c_out, :c_in])
    if bias:
        part.bias.data.copy_(whole.bias[:c_out])
    x = torch.randn(batch, c_in, 6, 6).to(memory_format=memory_format)
    assert torch.equal(whole(x, width=c_out), part(x))


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("width", [4, 8, 12])
def test_groups_use_the_leading_inputs_of_the_weight(groups, memory_format, width):
    whole = SlicedConv2d(12, 12, 3, padding=1, bias=False).to(memory_format=memory_format)
    part = nn.Conv2d(width, width, 3, padding=1, groups=groups, bias=False).to(memory_format=memory_format)
    part.weight.data.copy_(whole.weight[:width, : width // groups])
    x = torch.randn(2, width, 6, 6).to(memory_format=memory_format)
    assert torch.equal(whole(x, width=width, groups=groups), part(x))


def test_gradients_of_a_part_stay_in_it():
    conv = SlicedConv2d(6, 6, 3)
    conv(torch.randn(1, 4, 5, 5), width=2).sum().backward()
    reached = conv.weight.grad.ne(0).any(-1).any(-1)
    assert reached[:2, :4].all()
    assert not reached[2:].any()
    assert not reached[:, 4:].any()
    assert conv.bias.grad.ne(0).tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("momentum", [0.1, 0.003])
@quickly
@given(width=st.integers(1, 6))
def test_part_of_a_batch_norm_is_the_batch_norm_of_the_part(affine, tracked, momentum, width):
    options = {"affine": affine, "track_running_stats": tracked, "momentum": momentum}
    whole, part = SlicedBatchNorm2d(6, **options), nn.BatchNorm2d(width, **options)
    if affine:
        nn.init.normal_(whole.weight)
        nn.init.normal_(whole.bias)
    part.load_state_dict({name: entry[:width] if entry.ndim else entry for name, entry in whole.state_dict().items()})
    for training in (True, True, False):
        x = torch.randn(3, width, 4, 4)
        assert torch.equal(whole.train(training)(x), part.train(training)(x))
    for name, entry in part.state_dict().items():
        assert torch.equal(whole.state_dict()[name][:width] if entry.ndim else whole.state_dict()[name], entry)


def test_a_batch_norm_leaves_the_statistics_of_unused_channels():
    norm = SlicedBatchNorm2d(6)
    norm(torch.randn(3, 4, 4, 4) + 5)
    assert (norm.running_mean[:4] > 0.1).all()
    assert norm.running_mean[4:].tolist() == [0, 0]
    assert norm.running_var[4:].tolist() == [1, 1]


@pytest.mark.parametrize("width", [1, 3, 7])
def test_part_of_a_linear_layer_is_the_layer_of_the_part(width):
    whole, part = SlicedLinear(7, 3), nn.Linear(width, 3)
    part.load_state_dict({"weight": whole.weight[:, :width], "bias": whole.bias})
    x = torch.randn(5, width)
    assert torch.equal(whole(x), part(x))


def test_layers_are_made_with_the_options_of_others():
    layers = SlicedLayers.like(Layers(affine=False, track_running_stats=False, bias=True))
    conv, norm = layers.conv(4, 6, 3, stride=2, groups=2), layers.norm(6)
    plain = Layers(bias=True).conv(4, 6, 3, stride=2, groups=2)
    assert isinstance(conv, SlicedConv2d)
    assert repr(conv).removeprefix("Sliced") == repr(plain)
    assert (norm.weight, norm.running_mean) == (None, None)


def test_a_shortcut_is_the_identity_between_equal_widths_only():
    shortcut = SlicedShortcut(4, 6, 1, SlicedLayers(), projects=True).eval()
    x = torch.randn(2, 4, 5, 5)
    assert shortcut(x, 4, 4) is x
    assert shortcut(x, 4, 6).shape == (2, 6, 5, 5)
    assert SlicedShortcut(4, 4, 1, SlicedLayers(), projects=False)(x, 4, 4) is x


def test_a_shortcut_with_a_stride_always_projects():
    shortcut = SlicedShortcut(4, 4, 2, SlicedLayers(), projects=True)
    assert shortcut(torch.randn(2, 4, 6, 6), 4, 4).shape == (2, 4, 3, 3)


def test_a_mixed_shortcut_weighs_identity_and_projection_by_how_often_widths_are_equal():
    shortcut = SlicedShortcut(4, 4, 1, SlicedLayers(), projects=True).double().eval()
    c_in = MixedWidth([(2, torch.tensor(0.25)), (4, torch.tensor(0.75))])
    c_out = MixedWidth([(2, torch.tensor(0.5)), (4, torch.tensor(0.5))])
    x = torch.randn(2, 4, 5, 5, dtype=torch.double)
    mask = torch.tensor([1.0, 1.0, 0.5, 0.5], dtype=torch.double)[:, None, None]
    expected = 0.5 * x + 0.5 * mask * shortcut.projection.norm(shortcut.projection.conv(x))
    torch.testing.assert_close(shortcut(x, c_in, c_out), expected)
