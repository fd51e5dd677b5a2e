"""Beside the exact gradient through one step, by double backward in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from lnas.nets import build_supernet
from lnas.training.unrolled import unrolled_gradients
from lnas.types import Region

STEPS = {
    "plain": {"lr": 0.3},
    "decayed": {"lr": 0.3, "weight_decay": 0.1},
    "momentum": {"lr": 0.3, "momentum": 0.9, "weight_decay": 0.1},
    "dampened": {"lr": 0.3, "momentum": 0.9, "dampening": 0.4},
    "nesterov": {"lr": 0.3, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True},
}
LossOf = Callable[[Mapping[str, Tensor], list[Tensor]], Tensor]


class Mixture(nn.Module):
    """A mixture of two small nets."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor, weights: list[Tensor]) -> Tensor:
        return self.head(weights[0][0] * torch.tanh(self.a(x)) + weights[0][1] * self.b(x) ** 2)


def batch(seed: int, *shape: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, *shape, generator=generator, dtype=torch.float64), torch.arange(6) % 2


def loss_of(net: nn.Module, images: Tensor, labels: Tensor) -> LossOf:
    def loss(weights: Mapping[str, Tensor], logits: list[Tensor]) -> Tensor:
        mixture = [torch.softmax(vector, 0) for vector in logits]
        return functional.cross_entropy(functional_call(net, dict(weights), (images,), {"weights": mixture}), labels)

    return loss


def exactly(
    training: LossOf, validation: LossOf, net: nn.Module, logits: list[nn.Parameter], optimizer: torch.optim.SGD
) -> tuple[Tensor, ...]:
    """Take PyTorch's own step, whose derivative by the gradient is found by taking it with gradients 0 and 1."""
    weights = dict(net.named_parameters())
    loss = training(weights, logits)
    gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)

    def stepped(added: float) -> list[Tensor]:
        twin = copy.deepcopy(net)
        own = torch.optim.SGD(twin.parameters())
        own.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        for weight, gradient in zip(twin.parameters(), gradients, strict=True):
            weight.grad = gradient.detach() + added
        own.step()
        return [weight.detach() for weight in twin.parameters()]

    moved = {
        name: here + (there - here) * (gradient - gradient.detach())
        for name, here, there, gradient in zip(weights, stepped(0), stepped(1), gradients, strict=True)
    }
    loss = validation(moved, logits)
    return (loss, *torch.autograd.grad(loss, logits))


def compare(net: nn.Module, logits: list[nn.Parameter], options: dict[str, Any], shape: tuple[int, ...]) -> None:
    training, validation = (loss_of(net, *batch(seed, *shape)) for seed in (1, 2))
    optimizer = torch.optim.SGD(net.parameters(), **options)
    weights = dict(net.named_parameters())
    for _ in range(3):  # the first one without momentum
        state = copy.deepcopy(optimizer.state_dict())
        before = copy.deepcopy(net.state_dict())
        loss, *expected = exactly(training, validation, net, logits, optimizer)
        for radius, tolerance in ((1e-4, 1e-5), (0.01, 0.02)):
            found = unrolled_gradients(
                lambda: training(weights, logits), lambda: validation(weights, logits), optimizer, logits, radius
            )
            torch.testing.assert_close(found.loss, loss.detach())
            for one, other in zip(found.gradients, expected, strict=True):
                torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance * float(other.norm()))
        first = torch.autograd.grad(validation(weights, logits), logits)
        assert any((one - other).norm() > 0.05 * other.norm() for one, other in zip(first, expected, strict=True))
        assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
        assert str(optimizer.state_dict()) == str(state)
        optimizer.zero_grad()
        training(weights, logits).backward()
        optimizer.step()


@pytest.mark.parametrize("options", STEPS.values(), ids=list(STEPS))
def test_a_small_mixture(options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    net = Mixture().double()
    compare(net, [nn.Parameter(torch.tensor([0.3, -0.2], dtype=torch.float64))], options, (3,))


class Supernet(nn.Module):
    """A supernet that keeps no statistics; where nothing is to be decided, nothing is mixed."""

    def __init__(self, region: Region) -> None:
        super().__init__()
        self.net = build_supernet(region, 2, 4, 1)
        for module in self.net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean = module.running_var = module.num_batches_tracked = None

    def forward(self, x: Tensor, weights: list[Tensor]) -> Tensor:
        given = iter(weights)
        return self.net(x, weights=[next(given) if len(c) > 1 else torch.ones(1) for c in self.net.region.choices])


def test_a_supernet() -> None:
    torch.manual_seed(0)
    net = Supernet(Region("nats_topology", ((0, 3), (2,), (1, 4), (1,), (3,), (2, 3)))).double()
    logits = [nn.Parameter(torch.randn(2, dtype=torch.float64)) for _ in range(3)]
    training, validation = (loss_of(net, *batch(seed, 3, 8, 8)) for seed in (1, 2))
    optimizer, weights = torch.optim.SGD(net.parameters(), lr=0.1), dict(net.named_parameters())
    found = unrolled_gradients(
        lambda: training(weights, logits), lambda: validation(weights, logits), optimizer, logits, radius=1e-5
    )
    _, *expected = exactly(training, validation, net, logits, optimizer)
    for one, other in zip(found.gradients, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_weights_without_a_gradient_leave_the_direct_one() -> None:
    logits, weight = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    found = unrolled_gradients(lambda: logits.sum(), lambda: (logits**2).sum(), optimizer, [logits])
    assert found.gradients[0].tolist() == [2, 2]
