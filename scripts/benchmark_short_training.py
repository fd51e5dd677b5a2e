"""Short training of NATS topology cells: ours against the straightforward build and the arithmetic bound, in one run.

    python scripts/benchmark_short_training.py [--cells 8] [--steps 5] [--rounds 1] [--full] [--size quickstart]

The straightforward build is NCHW, computes dead edges, each edge by modules of its own, and is trained in a bare loop.
Ours is trained as `ShortTrainingEstimator` does, Lightning Trainer, augmentation and callbacks included, and once more
in a bare loop, which tells what the Trainer costs. They alternate; the fastest step counts, from one update to the
next, so that what a Trainer takes to begin is left out. The bound is what the products of convolutions and linear
layers, forward and backward, take at the rate of a matrix product, the best of the run. `--full` trains for the paper's
50 steps. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from lnas.data import DigitsData, Split, proxy_subset
from lnas.data.batches import prepare
from lnas.data.module import StepDataModule
from lnas.nets import build_net
from lnas.nets.training_forwards import training_forwards
from lnas.proxies.substitution import substituted
from lnas.spaces import NatsTopologySpace
from lnas.training.short_training import ShortTraining, train_shortly
from lnas.types import Arch

DATA = DigitsData()
PAPER_STEPS = 50
MATRIX = 2048
COMPARED_IMAGES = 10

MakeOptimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
Train = Callable[[nn.Module, Split, int, MakeOptimizer], object]


@dataclass(frozen=True)
class Size:
    """Of the networks, and by how much the digits of 8x8 pixels are enlarged to stand in for images."""

    channels: int
    cells: int
    enlarged: int

    def net(self, arch: Arch) -> nn.Module:
        """Build ours, with the same weights each time."""
        torch.manual_seed(0)
        return build_net(arch, channels=self.channels, cells=self.cells, init="kaiming_uniform")

    def plain_net(self, arch: Arch) -> nn.Module:
        """Build the straightforward one, with the same weights."""
        torch.manual_seed(0)
        net = build_net(arch, channels=self.channels, cells=self.cells, init="kaiming_uniform", dead_edges="computed")
        return net.to(memory_format=torch.contiguous_format)

    def proxy(self) -> Split:
        """Draw 10 images of each digit."""
        split = proxy_subset(DATA.splits["train"], 10, 10, seed=0)
        images = split.images.repeat(self.enlarged, axis=2).repeat(self.enlarged, axis=3)
        return Split(images, split.labels)


SIZES = {"paper": Size(16, 5, 4), "quickstart": Size(8, 1, 1)}


def bare_loop(net: nn.Module, proxy: Split, steps: int, make_optimizer: MakeOptimizer) -> None:
    """Train without Lightning: the same images, augmentation and steps."""
    batch = torch.from_numpy(proxy.images), torch.from_numpy(proxy.labels)
    optimizer = make_optimizer(net.train().parameters())
    for _ in range(steps):
        images, labels = prepare(batch, DATA, augment=True)
        loss = functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def our_bare_loop(net: nn.Module, proxy: Split, steps: int, make_optimizer: MakeOptimizer) -> None:
    """Train ours without Lightning."""
    with substituted(training_forwards(net)):
        bare_loop(net, proxy, steps, make_optimizer)


def with_trainer(net: nn.Module, proxy: Split, steps: int, make_optimizer: MakeOptimizer) -> None:
    """Train as the estimator does."""
    data = StepDataModule(proxy, DATA, seed=0, steps=steps)
    train_shortly(net, DATA.num_classes, data, ShortTraining(steps, None, make_optimizer, accelerator="cpu"))


def fastest_step(train: Train, net: nn.Module, proxy: Split, steps: int) -> float:
    """Time the steps of a training, each from one update to the next."""
    ends: list[float] = []

    def make_optimizer(parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        sgd = torch.optim.SGD(parameters, lr=0.2, momentum=0.9, weight_decay=5e-4, nesterov=True)
        sgd.register_step_post_hook(lambda *_: ends.append(time.perf_counter()))
        return sgd

    train(net, proxy, steps, make_optimizer)
    return min(later - earlier for earlier, later in itertools.pairwise(ends))


def matrix_product_rate() -> float:
    """Measure FLOP/s of a single-precision matrix product."""
    matrix = torch.randn(MATRIX, MATRIX)
    started = time.perf_counter()
    matrix @ matrix
    return 2 * MATRIX**3 / (time.perf_counter() - started)


def operations(size: Size, arch: Arch, proxy: Split) -> float:
    """Count FLOPs of a step: products of convolutions and linear layers, forward and backward."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        net = build_net(arch, channels=size.channels, cells=size.cells)
        net(torch.empty(len(proxy), *proxy.images.shape[1:])).sum().backward()
    return float(counter.get_total_flops())


def difference(size: Size, arch: Arch, proxy: Split) -> float:
    """Return the largest relative difference of loss and gradient in double precision, so that rounding hides none."""
    few = slice(None, None, len(proxy) // COMPARED_IMAGES)
    images, labels = prepare((torch.from_numpy(proxy.images[few]), torch.from_numpy(proxy.labels[few])), DATA, False)
    net, plain = size.net(arch).double(), size.plain_net(arch).double()
    with substituted(training_forwards(net)):
        ours = loss_and_gradient(net, images.double(), labels)
    pairs = zip(ours, loss_and_gradient(plain, images.double(), labels), strict=True)
    return max(float((one - other).norm() / other.norm()) for one, other in pairs)


def loss_and_gradient(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Compute both, the gradient as one vector, with zeros for what the loss does not reach."""
    loss = functional.cross_entropy(net(images), labels)
    loss.backward()
    parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in net.parameters()]
    return loss.detach(), torch.cat([part.flatten() for part in parts])


def main() -> None:
    """Print a line for each cell, then the ratios of the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--size", choices=SIZES, default="paper")
    arguments = parser.parse_args()
    size, steps = SIZES[arguments.size], PAPER_STEPS if arguments.full else arguments.steps
    proxy, space, rng = size.proxy(), NatsTopologySpace(), np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(arguments.cells)]
    ways = {
        "plain": (size.plain_net, bare_loop),
        "ours": (size.net, with_trainer),
        "bare": (size.net, our_bare_loop),
    }
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {size}, {len(proxy)} images of"
        f" {proxy.images.shape[-1]} pixels; seconds of the fastest of {arguments.rounds} x {steps} steps"
    )
    for make, train in ways.values():  # first use costs imports
        fastest_step(train, make(archs[0]), proxy, 2)
    rates, rows, differences = [matrix_product_rate()], [], []
    for arch in archs:
        rounds = []
        for _ in range(arguments.rounds):
            rates += [matrix_product_rate() for _ in range(3)]
            rounds.append([fastest_step(train, make(arch), proxy, steps) for make, train in ways.values()])
        rows.append([*np.min(rounds, axis=0), operations(size, arch, proxy)])
        differences.append(difference(size, arch, proxy))
        plain, ours, bare, flops = rows[-1]
        print(
            f"plain {plain:.3f}, ours {ours:.3f}, bound {flops / max(rates):.3f}, Trainer {ours / bare - 1:+.1%},"
            f" differs by {differences[-1]:.0e}  {space.format(arch)}"
        )
    plain, ours, bare, flops = np.mean(rows, axis=0)
    bound = flops / max(rates)
    print(
        f"mean: plain {plain:.3f}, ours {ours:.3f}, bound {bound:.3f} at {max(rates) / 1e9:.0f} GFLOP/s,"
        f" Trainer {ours / bare - 1:+.1%}, differs by at most {max(differences):.0e}"
    )
    print(f"short training: {plain / ours:.1f}x the plain build, {ours / bound:.1f}x the bound")


if __name__ == "__main__":
    main()
