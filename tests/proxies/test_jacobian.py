"""The Jacobian of the weights against a loop of `torch.autograd.grad`, one image after another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from lnas.errors import UsageError
from lnas.nets import build_net
from lnas.proxies import jacobian
from lnas.proxies.jacobian import weight_jacobian
from lnas.spaces import DartsSpace
from lnas.types import Arch

FAST = settings(deadline=None, max_examples=25)

# All five operations; a convolution of zeros behind a node without input; no path at all.
CELLS = [(3, 2, 4, 1, 0, 3), (4, 4, 1, 2, 3, 4), (3, 3, 3, 3, 3, 3), (0, 0, 3, 1, 0, 2), (0, 0, 0, 0, 0, 0)]
SEPARABLE = "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"
OTHERS = "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3"


def one_by_one(net: nn.Module, images: Tensor) -> Tensor:
    weights = [weight for name, weight in net.named_parameters() if "weight" in name]
    logits = net(images)
    rows = []
    for row in logits:
        found = torch.autograd.grad(row.sum(), weights, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([gradient.flatten() for gradient in found if gradient is not None]))
    return torch.stack(rows)


def assert_exact(net: nn.Module, images: Tensor) -> None:
    expected = one_by_one(net, images)
    assert expected.abs().max() > 0
    size = float(expected.abs().max())
    torch.testing.assert_close(weight_jacobian(net, images).matrix, expected, rtol=1e-12, atol=1e-13 * size)


def shaken(net: nn.Module) -> nn.Module:
    """Return the net in float64, with batch norms that scale and shift."""
    generator = torch.Generator().manual_seed(0)
    net = net.double().train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1, 0.3, generator=generator)
            nn.init.normal_(module.bias, 0, 0.3, generator=generator)
    return net


def images_of(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("genes", CELLS)
@pytest.mark.parametrize("options", [{}, {"affine": False, "bias": True}, {"track_running_stats": False}])
def test_nats_nets(genes: tuple[int, ...], options: dict[str, bool]) -> None:
    assert_exact(shaken(build_net(Arch("nats_topology", genes), channels=4, cells=1, **options)), images_of(5, 3, 8, 8))


def test_a_net_as_wide_as_the_benchmarks() -> None:
    assert_exact(shaken(build_net(Arch("nats_topology", CELLS[0]), channels=16, cells=1)), images_of(3, 3, 8, 8))


@pytest.mark.parametrize("names", [SEPARABLE, OTHERS])
@pytest.mark.parametrize("pool_norm", ["none", "batch"])
def test_darts_nets(names: tuple[str, ...], pool_norm: str) -> None:
    pairs = itertools.cycle(names)
    cell = str([(next(pairs), source) for node in range(4) for source in (0, node + 1)])
    text = f"Genotype(normal={cell}, normal_concat=[2, 3, 4, 5], reduce={cell}, reduce_concat=[2, 3, 4, 5])"
    net = build_net(DartsSpace().parse(text), channels=2, cells=3, pool_norm=pool_norm)
    assert_exact(shaken(net), images_of(4, 3, 16, 16))


def test_linear_layers_alone() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.BatchNorm1d(5), nn.Linear(5, 3)).double()
    assert_exact(net, images_of(6, 3, 2, 2))


class Cube(torch.autograd.Function):
    """An operation that autograd knows nothing of."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, cotangent):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * cotangent


class Unusual(nn.Module):
    """What no net of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.line = nn.Conv1d(6, 6, 3)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.norms = nn.Sequential(nn.GroupNorm(2, 4), nn.LayerNorm(8))
        self.factor_weight = nn.Parameter(torch.rand(4, 1, 1))
        self.twice = nn.Conv2d(4, 4, 1, bias=False)
        self.classifier = nn.Linear(6, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(images)
        # The convolution's output is taken twice, so that its batch norm cannot be joined with it.
        x = torch.add(self.norm(x), torch.tanh(x), alpha=3)
        left, right = x.chunk(2, dim=1)
        x = torch.cat([right, left.relu()], dim=1)
        x = F.avg_pool2d(x, 2, divisor_override=3)
        x = Cube.apply(self.up(x)) * self.factor_weight + self.factor_weight.sum()
        x = self.twice(self.twice(self.norms(x)))
        x[:, 1:3] *= 2
        x = torch.cat([x, F.max_pool2d(x, 3, 1, 1)[:, :2]], dim=1)
        x = F.silu(self.line(x.flatten(2))).std(dim=2)
        return self.classifier(x - x.mean(0)).softmax(1).square()


def test_a_net_of_other_operations() -> None:
    assert_exact(Unusual().double(), images_of(4, 3, 8, 8))


def test_weights_that_are_used_twice_and_never() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.norm = nn.BatchNorm2d(3)
            self.never = nn.Conv2d(3, 3, 3)
            self.classifier = nn.Linear(3, 2)

        def forward(self, images: Tensor) -> Tensor:
            x = self.norm(self.conv(F.relu(self.norm(self.conv(images)))))
            return self.classifier(x.amax((2, 3)))

    net = Net().double()
    assert_exact(net, images_of(4, 3, 6, 6))
    assert weight_jacobian(net, images_of(4, 3, 6, 6)).matrix.shape == (4, 81 + 3 + 6)


def pair(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


class Tail(nn.Module):
    """A layer, whose input has weights of its own, and a linear read-out that tells all pixels apart."""

    def __init__(self, *layers: nn.Module, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 1)
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        x = self.layers(self.first(images)).flatten(1)
        return x * torch.linspace(-1, 2, x.shape[1], dtype=x.dtype) ** 2


@FAST
@given(
    kernel=pair(1, 3),
    stride=pair(1, 3),
    padding=pair(0, 3),
    dilation=pair(1, 2),
    size=pair(5, 8),
    groups=st.sampled_from([1, 2]),
    has_norm=st.booleans(),
)
def test_convolutions_of_any_geometry(kernel, stride, padding, dilation, size, groups, has_norm) -> None:
    layer = nn.Conv2d(4, 6, kernel, stride, padding, dilation, groups)
    net = Tail(layer, nn.BatchNorm2d(6) if has_norm else nn.Identity(), channels=4)
    assert_exact(shaken(net), images_of(3, 3, *size))


@FAST
@given(
    kernel=pair(1, 4),
    stride=pair(1, 3),
    padding=pair(0, 2),
    size=pair(5, 8),
    ceil=st.booleans(),
    counts_padding=st.booleans(),
)
def test_average_pools_of_any_geometry(kernel, stride, padding, size, ceil, counts_padding) -> None:
    assume(all(2 * pad <= width for pad, width in zip(padding, kernel, strict=True)))
    net = Tail(nn.AvgPool2d(kernel, stride, padding, ceil, counts_padding), channels=2)
    assert_exact(net.double(), images_of(2, 3, *size))


def test_functional_average_pool_without_a_stride() -> None:
    class Net(Tail):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(F.avg_pool2d(images * self.first.weight.sum(), 2))

    assert_exact(Net(nn.ReLU(), channels=2).double(), images_of(2, 3, 6, 6))


@pytest.mark.parametrize("size", [1, 2**30])
def test_the_number_of_cotangents_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(jacobian, "_CACHED", size)
    assert_exact(shaken(build_net(Arch("nats_topology", CELLS[0]), channels=4, cells=1)), images_of(5, 3, 8, 8))


def test_channels_last() -> None:
    net = shaken(build_net(Arch("nats_topology", CELLS[0]), channels=4, cells=1)).to(memory_format=torch.channels_last)
    assert_exact(net, images_of(5, 3, 8, 8).to(memory_format=torch.channels_last))


def test_float32() -> None:
    net = build_net(Arch("nats_topology", CELLS[0]), channels=4, cells=1).train()
    images = images_of(5, 3, 8, 8)
    found = weight_jacobian(net, images.float()).matrix
    assert found.dtype == torch.float32
    expected = one_by_one(net.double(), images)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_a_frozen_net_has_the_same_jacobian() -> None:
    net = shaken(build_net(Arch("nats_topology", CELLS[0]), channels=4, cells=1))
    expected = one_by_one(net, images_of(4, 3, 8, 8))
    with torch.no_grad():
        found = weight_jacobian(net.requires_grad_(False), images_of(4, 3, 8, 8)).matrix
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_columns_of_cells_are_all_but_those_of_stem_head_and_classifier() -> None:
    net = build_net(Arch("nats_topology", (3, 3, 3, 3, 3, 3)), channels=4, cells=1)
    found = weight_jacobian(net, torch.randn(2, 3, 8, 8))
    stem, head, classifier = 27 * 4 + 4, 16, 160
    weights = sum(weight.numel() for name, weight in net.named_parameters() if "weight" in name)
    assert found.in_cell.tolist() == [False] * stem + [True] * (weights - stem - head - classifier) + [False] * 176
    assert weight_jacobian(net, torch.randn(2, 3, 8, 8), frozenset()).in_cell.all()


def test_the_net_is_left_as_found() -> None:
    net = build_net(Arch("nats_topology", CELLS[0]), channels=4, cells=1, track_running_stats=False)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False
    called: list[object] = []
    net.stem[0].weight.register_hook(called.append)
    net.classifier.weight.grad = torch.ones_like(net.classifier.weight)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    found = weight_jacobian(net, images_of(3, 3, 8, 8).float())
    assert torch.equal(torch.get_rng_state(), state)
    assert not called
    assert not found.matrix.requires_grad
    assert not found.logits.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [name for name, weight in net.named_parameters() if weight.grad is not None] == ["classifier.weight"]
    assert (net.classifier.weight.grad == 1).all()
    assert all(weight.requires_grad for weight in net.parameters())


def test_logits_are_those_of_the_net() -> None:
    net = shaken(build_net(Arch("nats_topology", CELLS[0]), channels=4, cells=1))
    torch.testing.assert_close(weight_jacobian(net, images_of(3, 3, 8, 8)).logits, net(images_of(3, 3, 8, 8)).detach())


def test_a_net_without_weights_is_refused() -> None:
    with pytest.raises(UsageError, match=r"expected a net whose logits depend on parameters with \"weight\""):
        weight_jacobian(nn.Flatten(), torch.randn(2, 3, 4, 4))
