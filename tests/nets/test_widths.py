from __future__ import annotations

import pytest
import torch

from lnas.nets.widths import (
    MixedWidth,
    as_weighted,
    as_width,
    each,
    joint,
    largest,
    masked,
    resized,
    scaled,
    weighted,
)


def test_a_gene_is_one_value_and_a_vector_a_weight_for_each_allowed_gene():
    assert weighted(2, (0, 2), "abc") == (("c", 1.0),)
    vector = torch.tensor([0.25, 0.75])
    assert weighted(vector, (0, 2), "abc") == (("a", vector[0]), ("c", vector[1]))


def test_combinations_weigh_the_product():
    combined = joint(lambda one, other: one * other, ((2, 0.25), (3, 0.75)), ((10, 0.5), (20, 0.5)))
    assert combined == ((20, 0.125), (40, 0.125), (30, 0.375), (60, 0.375))


def test_one_choice_is_a_plain_width():
    assert as_width(((8, 1.0),)) == 8
    assert as_weighted(8) == ((8, 1.0),)
    assert largest(8) == 8
    assert each(lambda width: width // 2, 8) == 4


def test_a_mask_weighs_a_channel_by_the_widths_that_have_it():
    weights = torch.tensor([0.5, 0.125, 0.375])
    width = MixedWidth(weighted(weights, (0, 1, 2), (1, 2, 4)))
    assert width.mask.tolist() == [1, 0.5, 0.375, 0.375]
    assert largest(width) == 4


def test_equal_widths_become_one():
    width = as_width(tuple(zip((4, 2, 4), torch.tensor([0.5, 0.25, 0.25]), strict=True)))
    assert width.sizes == (2, 4)
    assert [float(weight) for weight in width.weights] == [0.25, 0.75]
    halves = each(lambda size: size // 2, width)
    assert halves.mask.tolist() == [1, 0.75]


def test_gradients_reach_the_weights():
    weights = torch.tensor([0.5, 0.5], requires_grad=True)
    masked(torch.ones(1, 3, 2, 2), MixedWidth(weighted(weights, (0, 1), (1, 3)))).sum().backward()
    assert weights.grad.tolist() == [4, 12]


def test_a_plain_width_masks_nothing():
    x = torch.ones(1, 3, 2, 2)
    assert masked(x, 3) is x


@pytest.mark.parametrize("channels", [2, 3, 5])
def test_resizing_drops_channels_or_adds_zeros(channels):
    x = torch.randn(2, 3, 4, 4)
    y = resized(x, channels)
    assert y.shape == (2, channels, 4, 4)
    assert torch.equal(y[:, :3], x[:, :channels])
    assert not y[:, 3:].any()


def test_widths_scale_with_the_channels():
    assert [scaled(width, 64, of=64) for width in (8, 40, 64)] == [8, 40, 64]
    assert [scaled(width, 8, of=64) for width in (8, 40, 64)] == [1, 5, 8]
    assert scaled(8, 1, of=64) == 1
