"""Our second derivative of batch norm against PyTorch's own and against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lnas.proxies.batch_norm import twice_differentiable_norms
from lnas.proxies.substitution import substituted

F64 = torch.float64


def norm(kind: type[nn.Module], affine: bool) -> nn.Module:
    torch.manual_seed(0)
    made = kind(3, eps=1e-2, affine=affine, dtype=F64)
    for parameter in made.parameters():
        nn.init.uniform_(parameter, 0.5, 2)
    return made


def derivatives(made: nn.Module, x: Tensor) -> list[Tensor]:
    """Return value, gradient, and the gradient of the squared gradient."""
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    y = made(x)
    (first,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    return [y, first, second]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(
    ("kind", "shape", "layout"),
    [
        (nn.BatchNorm1d, (6, 3), torch.contiguous_format),
        (nn.BatchNorm2d, (4, 3, 5, 2), torch.contiguous_format),
        (nn.BatchNorm2d, (4, 3, 5, 2), torch.channels_last),
    ],
)
def test_all_derivatives_are_pytorchs(
    kind: type[nn.Module], shape: tuple[int, ...], layout: torch.memory_format, affine: bool
) -> None:
    made = norm(kind, affine)
    x = torch.randn(shape, dtype=F64).contiguous(memory_format=layout)
    expected = derivatives(made, x)
    with substituted(twice_differentiable_norms(made)):
        found = derivatives(made, x)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    assert "forward" not in vars(made)


def test_second_derivatives_by_finite_differences() -> None:
    made = norm(nn.BatchNorm2d, affine=True)
    with substituted(twice_differentiable_norms(made)):
        assert torch.autograd.gradgradcheck(made, torch.randn(2, 3, 2, 2, dtype=F64, requires_grad=True))


def test_what_is_no_batch_is_refused_as_by_the_norm() -> None:
    made = norm(nn.BatchNorm2d, affine=True)
    with substituted(twice_differentiable_norms(made)), pytest.raises(ValueError, match="expected 4D input"):
        made(torch.randn(2, 3, dtype=F64))


class WithRelu(nn.BatchNorm2d):
    """A batch norm and an activation in one, as in timm."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


def test_what_does_more_than_a_batch_norm_or_less_is_left_alone() -> None:
    fixed, patched, ordinary = (nn.BatchNorm2d(3) for _ in range(3))
    fixed.eval()
    patched.forward = torch.relu
    net = nn.ModuleList([WithRelu(3), fixed, patched, ordinary, nn.BatchNorm2d(3, track_running_stats=False).eval()])
    assert list(twice_differentiable_norms(net)) == [net[3], net[4]]


def test_a_forward_pass_of_ones_own_is_put_back() -> None:
    layer = nn.ReLU()
    layer.forward = own = torch.sigmoid
    with substituted({layer: torch.tanh}):
        assert layer(torch.ones(())) == torch.tanh(torch.ones(()))
    assert vars(layer)["forward"] is own
