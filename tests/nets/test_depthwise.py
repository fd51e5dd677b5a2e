from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lnas.nets.depthwise import is_wide_depthwise, wide_depthwise

WIDE = [(3, 2), (5, 1), (5, 2)]


def depthwise(kernel: int, dilation: int, stride: int = 1, channels: int = 16) -> nn.Conv2d:
    torch.manual_seed(0)
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(channels, channels, kernel, stride, padding, dilation, channels, bias=False)
    return conv.to(memory_format=torch.channels_last)


def results(conv: nn.Conv2d, x: Tensor, forward: object) -> tuple[Tensor, Tensor, Tensor]:
    """Return output and gradients in double precision, of a loss that weighs every pixel differently."""
    conv.zero_grad()
    own = x.detach().clone().requires_grad_()
    output = forward(own)  # type: ignore[operator]
    output.backward(torch.linspace(-1, 1, output.numel()).view_as(output).to(output))
    assert own.grad is not None
    assert conv.weight.grad is not None
    return output.detach().double(), own.grad.double(), conv.weight.grad.double()


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("kernel", "dilation"), WIDE)
@pytest.mark.parametrize("size", [(32, 32), (6, 8)])
def test_gradients_are_those_of_double_precision(
    kernel: int, dilation: int, precision: torch.dtype, size: tuple[int, int]
) -> None:
    conv = depthwise(kernel, dilation)
    assert is_wide_depthwise(conv)
    x = torch.randn(4, 16, *size).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        found = results(conv, x, lambda own: wide_depthwise(conv, own))
    expected = results(conv.double(), x.double().contiguous(), conv)
    tolerance = 2e-2 if precision == torch.bfloat16 else 1e-5
    for one, other in zip(found, expected, strict=True):
        assert float((one - other).abs().max() / other.abs().max()) < tolerance


@pytest.mark.parametrize("size", [(7, 8), (8, 8)])
def test_other_layouts_and_sizes_are_pytorchs(size: tuple[int, int]) -> None:
    conv, x = depthwise(3, 2), torch.randn(2, 16, *size)
    if size[0] % 2:
        x = x.contiguous(memory_format=torch.channels_last)
    for one, other in zip(results(conv, x, lambda own: wide_depthwise(conv, own)), results(conv, x, conv), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "module",
    [
        depthwise(3, 1),
        depthwise(5, 1, stride=2),
        nn.Conv2d(4, 4, 5, padding=2, groups=4),
        nn.Conv2d(4, 4, 5, padding=2, bias=False),
        nn.Conv2d(4, 4, 5, padding=1, groups=4, bias=False),
        nn.Conv2d(4, 8, 5, padding=2, groups=4, bias=False),
        nn.Conv2d(4, 4, (3, 5), padding=2, groups=4, bias=False, dilation=2),
        nn.Conv2d(4, 4, 5, padding=2, groups=4, bias=False, padding_mode="reflect"),
        nn.ReLU(),
    ],
)
def test_other_modules_are_left_alone(module: nn.Module) -> None:
    assert not is_wide_depthwise(module)
