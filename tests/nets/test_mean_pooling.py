from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from lnas.nets.mean_pooling import is_mean_pool_3x3, mean_pool_3x3


def random(*shape: int, layout: torch.memory_format = torch.channels_last) -> Tensor:
    numbers = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return numbers.contiguous(memory_format=layout)


def pool(stride: int = 1) -> nn.AvgPool2d:
    return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)


def by_hand(x: Tensor, stride: int) -> Tensor:
    """Take the mean over each window as far as it lies inside."""
    height, width = x.shape[2:]
    rows = [
        torch.stack(
            [x[:, :, max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].mean((2, 3)) for j in range(0, width, stride)], -1
        )
        for i in range(0, height, stride)
    ]
    return torch.stack(rows, 2)


@settings(deadline=None, max_examples=25)
@given(
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    channels=st.integers(1, 9),
    stride=st.sampled_from([1, 2]),
    layout=st.sampled_from([torch.channels_last, torch.contiguous_format]),
    kind=st.sampled_from([(torch.float64, 1e-12), (torch.float32, 1e-5)]),
)
def test_is_the_mean_of_what_lies_inside(
    size: tuple[int, int], channels: int, stride: int, layout: torch.memory_format, kind: tuple[torch.dtype, float]
) -> None:
    dtype, tolerance = kind
    x = random(2, channels, *size, layout=layout)
    mean = mean_pool_3x3(pool(stride), x.to(dtype))
    torch.testing.assert_close(mean.double(), by_hand(x, stride), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("stride", [1, 2])
def test_derivatives_are_right_to_second_order(stride: int) -> None:
    x = random(2, 3, 5, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: mean_pool_3x3(pool(stride), x), x)
    assert torch.autograd.gradgradcheck(lambda x: mean_pool_3x3(pool(stride), x).square(), x)


def test_keeps_the_layout() -> None:
    assert mean_pool_3x3(pool(), random(2, 3, 4, 5)).is_contiguous(memory_format=torch.channels_last)


def test_other_layouts_have_the_numbers_of_pytorch() -> None:
    x = random(2, 3, 6, 5, layout=torch.contiguous_format).float()
    for view in (x, x.expand(4, 2, 3, 6, 5)[0], x.transpose(2, 3)):
        assert torch.equal(mean_pool_3x3(pool(), view), functional.avg_pool2d(view, 3, 1, 1, count_include_pad=False))


@pytest.mark.parametrize(
    "other",
    [
        nn.AvgPool2d(3, 1, 1),
        nn.AvgPool2d(5, 1, 1, count_include_pad=False),
        nn.AvgPool2d(3, 1, 0, count_include_pad=False),
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(3, 1, 1, count_include_pad=False, divisor_override=9),
        nn.MaxPool2d(3, 1, 1),
    ],
)
def test_tells_other_poolings(other: nn.Module) -> None:
    assert is_mean_pool_3x3(pool())
    assert is_mean_pool_3x3(nn.AvgPool2d((3, 3), (2, 1), (1, 1), count_include_pad=False))
    assert not is_mean_pool_3x3(other)
