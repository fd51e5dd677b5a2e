"""Supernets of the topology space: a step and an evaluation, ours against the straightforward ways, in one run.

    python scripts/benchmark_supernets.py [--paths 12] [--rounds 3] [--size paper] [--batch 128]

A step: ours computes the sampled path; the straightforward supernet computes all operations of every edge and weighs
them, the chosen one by 1 and the others by 0, as some released ones do. An evaluation: ours takes all paths
through the supernet by `evaluate_paths`; the straightforward way builds each sub-network in NCHW, copies its weights,
and evaluates it alone. Both evaluate the same batches with the statistics of the batch; how far their
losses lie apart is printed. Ways alternate; of each the fastest round counts. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lnas.nets import RegionNet, build_net, build_supernet
from lnas.nets.training_forwards import training_forwards
from lnas.proxies.substitution import substituted
from lnas.spaces import NatsTopologySpace
from lnas.training import SupernetModule, evaluate_paths
from lnas.types import Arch

SPACE = NatsTopologySpace()
PIXELS, CLASSES = 32, 10

Batch = tuple[Tensor, Tensor]


class Timed(NamedTuple):
    """Seconds for each path, and the loss of each."""

    seconds: float
    losses: list[float]


@dataclass(frozen=True)
class Size:
    """Of the networks."""

    channels: int
    cells: int

    def supernet(self) -> RegionNet:
        """Build ours, with the same weights each time."""
        torch.manual_seed(0)
        return build_supernet(SPACE, CLASSES, self.channels, self.cells, dead_edges="skipped")

    def plain_supernet(self) -> RegionNet:
        """Build one in NCHW that computes everything."""
        torch.manual_seed(0)
        net = build_supernet(SPACE, CLASSES, self.channels, self.cells, dead_edges="computed")
        return net.to(memory_format=torch.contiguous_format)

    def plain_net(self, arch: Arch) -> RegionNet:
        """Build one of an architecture as `build_net` does, in NCHW."""
        net = build_net(arch, CLASSES, self.channels, self.cells, affine=False, bn_momentum=0.1, dead_edges="computed")
        return net.to(memory_format=torch.contiguous_format)


Way = Callable[[Size, Sequence[Arch], Batch], Timed]

SIZES = {"paper": Size(16, 5), "reduced": Size(8, 1)}


def batch_of(count: int) -> Batch:
    """Draw images and labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, PIXELS, PIXELS, generator=generator)
    return images, torch.randint(CLASSES, (count,), generator=generator)


def our_steps(size: Size, archs: Sequence[Arch], batch: Batch) -> Timed:
    """Take a step with each path."""
    net = size.supernet()
    module = SupernetModule(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    started = time.perf_counter()
    with substituted(training_forwards(module)):
        losses = [step(net(batch[0], arch), batch[1], optimizer) for arch in archs]
    return Timed((time.perf_counter() - started) / len(archs), losses)


def plain_steps(size: Size, archs: Sequence[Arch], batch: Batch) -> Timed:
    """Take a step with each path, all operations computed."""
    net = size.plain_supernet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    started = time.perf_counter()
    losses = [step(net(batch[0], weights=one_hot(arch, net)), batch[1], optimizer) for arch in archs]
    return Timed((time.perf_counter() - started) / len(archs), losses)


def one_hot(arch: Arch, net: RegionNet) -> list[Tensor]:
    """Weigh the chosen operation by 1, the others by 0."""
    return [torch.eye(len(allowed))[gene] for allowed, gene in zip(net.region.choices, arch.genes, strict=True)]


def step(logits: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Take a step of an optimizer, and return the loss before it."""
    optimizer.zero_grad()
    loss = functional.cross_entropy(logits, labels)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def our_evaluation(size: Size, archs: Sequence[Arch], batch: Batch) -> Timed:
    """Take all paths through the supernet."""
    net = size.supernet()
    started = time.perf_counter()
    scores = evaluate_paths(net, archs, [batch])
    return Timed((time.perf_counter() - started) / len(archs), [scores[arch].loss for arch in archs])


def plain_evaluation(size: Size, archs: Sequence[Arch], batch: Batch) -> Timed:
    """Build each sub-network, and evaluate it alone."""
    weights = size.supernet().state_dict()
    started = time.perf_counter()
    losses = [loss_alone(size.plain_net(arch), weights, batch) for arch in archs]
    return Timed((time.perf_counter() - started) / len(archs), losses)


def loss_alone(net: RegionNet, weights: Mapping[str, Tensor], batch: Batch) -> float:
    """Give a sub-network its weights, and return its loss with the statistics of the batch."""
    net.load_state_dict({name: weights[name] for name in net.state_dict()})
    with torch.no_grad():
        return float(functional.cross_entropy(net.train()(batch[0]), batch[1]))


def fastest(ours: Way, plain: Way, size: Size, archs: Sequence[Arch], batch: Batch, rounds: int) -> list[Timed]:
    """Alternate two ways; return the fastest round of each."""
    pairs = [(ours(size, archs, batch), plain(size, archs, batch)) for _ in range(rounds)]
    return [min(of_way, key=lambda timed: timed.seconds) for of_way in zip(*pairs, strict=True)]


def main() -> None:
    """Time both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", choices=SIZES, default="paper")
    parser.add_argument("--batch", type=int, default=128)
    options = parser.parse_args()
    size, batch = SIZES[options.size], batch_of(options.batch)
    rng = np.random.default_rng(0)
    archs = [arch for arch in (SPACE.sample(rng) for _ in range(10 * options.paths)) if SPACE.is_valid(arch)]
    archs = list(dict.fromkeys(archs))[: options.paths]
    print(f"{options.size}, {len(archs)} paths, batches of {options.batch}, {torch.get_num_threads()} threads")
    for name, ours, plain in (("step", our_steps, plain_steps), ("evaluation", our_evaluation, plain_evaluation)):
        report(name, *fastest(ours, plain, size, archs, batch, options.rounds))


def report(name: str, ours: Timed, plain: Timed) -> None:
    """Print seconds of both, their ratio, and how far the losses lie apart."""
    apart = max(abs(one - other) / other for one, other in zip(ours.losses, plain.losses, strict=True))
    times = f"plain {plain.seconds:.4f} s, ours {ours.seconds:.4f} s, ratio {plain.seconds / ours.seconds:.2f}"
    print(f"{name:10s} {times}; losses differ by {apart:.1e} at most")


if __name__ == "__main__":
    main()
