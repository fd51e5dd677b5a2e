"""Zero-shot measures on random NATS topology cells: ours against the plain versions, in one run.

    python scripts/benchmark_zero_shot.py [--cells 12] [--rounds 3] [--measures relu_logdet snip ...]
    python scripts/benchmark_zero_shot.py --wide      # the NTK measures at C=16, N=5, 32 images, one cell
    python scripts/benchmark_zero_shot.py --growth    # ours alone: how each grows with images, channels and cells

Each measure runs at its papers' size, on noise. The plain versions are NCHW, compute every edge, make a pass of their
own for each measure and go image by image for the kernels. They run alternately with ours on nets with the same
weights; medians over the rounds, means over the cells. "Differs by" is the largest relative difference of the two
values (float32 rounding; some measures cancel), over the cells for which there is a number. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lnas.nets import build_net
from lnas.nets.names import DeadEdges
from lnas.nets.thin import build_thin_net
from lnas.proxies import score
from lnas.spaces import NatsTopologySpace
from lnas.testing.plain_proxies import PLAIN
from lnas.types import Arch

CLASSES = 10
SMALLEST = 1e-12


@dataclass(frozen=True)
class Size:
    """Of a net and its batch.

    Dead edges are computed by ours, too, where they count: in the benchmark's FLOPs and the released ReLU measures.
    """

    images: int
    channels: int = 16
    cells: int = 5
    dead_edges: DeadEdges = "benchmark"

    def __str__(self) -> str:
        return f"C={self.channels} N={self.cells} n={self.images}"

    def net(self, arch: Arch, dead_edges: DeadEdges) -> nn.Module:
        """Build it, with the same weights each time."""
        torch.manual_seed(0)
        return build_net(arch, CLASSES, self.channels, self.cells, dead_edges=dead_edges)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Draw images and labels."""
        generator = torch.Generator().manual_seed(1)
        return torch.randn(self.images, 3, 32, 32, generator=generator), torch.arange(self.images) % CLASSES


@dataclass(frozen=True)
class ThinSize(Size):
    """Of TE-NAS's net of one cell on images of one channel and nine pixels."""

    def __str__(self) -> str:
        return f"thin n={self.images}"

    def net(self, arch: Arch, dead_edges: DeadEdges) -> nn.Module:
        torch.manual_seed(0)
        return build_thin_net(arch, CLASSES)

    def batch(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(1)
        return torch.randn(self.images, 1, 3, 3, generator=generator), torch.arange(self.images) % CLASSES


ZERO_COST = Size(images=64)
NASWOT = Size(images=128, dead_edges="computed")
TEG_NAS = Size(images=64, channels=3, cells=1)
WIDE = Size(images=32)
SIZES = {
    "params": ZERO_COST,
    "flops": replace(ZERO_COST, dead_edges="computed"),
    "grad_norm": ZERO_COST,
    "plain": ZERO_COST,
    "snip": ZERO_COST,
    "grasp": ZERO_COST,
    "fisher": ZERO_COST,
    "synflow": ZERO_COST,
    "jacob_cov": ZERO_COST,
    "relu_logdet": NASWOT,
    "linear_regions": ThinSize(images=3000),
    "ntk_cond": TEG_NAS,
    "ntk_mse": TEG_NAS,
}
ALSO = {"ntk_mse_cells": TEG_NAS}
KERNELS = ("ntk_cond", "ntk_mse", "ntk_mse_cells")
GROWTH: dict[str, Sequence[Any]] = {"images": (32, 64, 128, 256), "channels": (4, 8, 16, 32), "cells": (1, 2, 3, 5)}
GROWTH_ARCH = Arch("nats_topology", (3, 1, 2, 3, 4, 3))


def seconds(call: Callable[[], object]) -> float:
    """Time a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def warm_seconds(call: Callable[[], object], rounds: int) -> float:
    """Time a call some times after a run to warm up, and return the median."""
    call()
    return statistics.median(seconds(call) for _ in range(rounds))


class Comparison(NamedTuple):
    """Seconds of a plain version and of ours, and the relative difference of their values; NaN if there is none."""

    plain: float
    ours: float
    difference: float = math.nan


def compared(arch: Arch, name: str, size: Size, rounds: int) -> Comparison:
    """Run a measure plainly and as ours, in turn, after a run of each to warm up."""
    batch = size.batch()
    plain_net = size.net(arch, "computed").to(memory_format=torch.contiguous_format)
    our_net = size.net(arch, size.dead_edges)
    expected, found = PLAIN[name](plain_net, *batch), score(our_net, *batch, [name])[name].value
    pairs = [
        (seconds(lambda: PLAIN[name](plain_net, *batch)), seconds(lambda: score(our_net, *batch, [name])))
        for _ in range(rounds)
    ]
    plain, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Comparison(plain, ours, abs(found - expected) / max(abs(expected), SMALLEST))


def line(name: str, size: object, of_cells: Sequence[Comparison]) -> str:
    """Word a line of the table."""
    plain, ours, _ = np.mean(of_cells, axis=0)
    differences = [item.difference for item in of_cells if math.isfinite(item.difference)]
    apart = f"{max(differences):.0e}" if differences else "-"
    return f"{name:<15} {size!s:<16} {plain:9.4f} s {ours:9.4f} s {plain / ours:8.2f} {apart:>10}"


def seconds_together(arch: Arch, sizes: Mapping[str, Size], rounds: int) -> float:
    """Time ours on all measures: one call of `score` for each size."""
    names_of: dict[Size, list[str]] = {}
    for name, size in sizes.items():
        names_of.setdefault(size, []).append(name)
    total = 0.0
    for size, names in names_of.items():
        call = partial(score, size.net(arch, size.dead_edges), *size.batch(), names)
        total += warm_seconds(call, rounds)
    return total


def compare(archs: Sequence[Arch], sizes: Mapping[str, Size], rounds: int) -> None:
    """Print a line for each measure, then two for all of them."""
    print(f"{'measure':<15} {'size':<16} {'plain':>11} {'ours':>11} {'ratio':>8} {'differs by':>10}")
    alone = np.zeros((len(archs), 2))
    for name, size in sizes.items():
        of_cells = [compared(arch, name, size, rounds) for arch in archs]
        alone += np.array([item[:2] for item in of_cells])
        print(line(name, size, of_cells), flush=True)
    together = [seconds_together(arch, sizes, rounds) for arch in archs]
    print(line("one by one", "", list(map(Comparison, *alone.T))))
    print(line("in one call", "per size", list(map(Comparison, alone[:, 0], together))))


def grow(sizes: Mapping[str, Size], rounds: int) -> None:
    """Print, for each measure, the milliseconds of ours while one part of its size changes."""
    for part, values in GROWTH.items():
        print(f"{part + ':':<15} {'else':<16} " + " ".join(f"{value:>9}" for value in values))
        for name, size in sizes.items():
            if part != "images" and isinstance(size, ThinSize):
                continue
            times = [milliseconds(name, replace(size, **{part: value}), rounds) for value in values]
            print(f"{name:<15} {size!s:<16} " + " ".join(f"{each:9.1f}" for each in times), flush=True)


def milliseconds(name: str, size: Size, rounds: int) -> float:
    """Time ours."""
    call = partial(score, size.net(GROWTH_ARCH, size.dead_edges), *size.batch(), [name])
    return 1000 * warm_seconds(call, rounds)


def main() -> None:
    """Read the command line, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measures", nargs="+", choices=SIZES | ALSO, default=list(SIZES))
    table = parser.add_mutually_exclusive_group()
    table.add_argument("--wide", action="store_true")
    table.add_argument("--growth", action="store_true")
    arguments = parser.parse_args()
    sizes = {name: (SIZES | ALSO)[name] for name in arguments.measures}
    space, rng = NatsTopologySpace(), np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(arguments.cells)]
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {arguments.rounds} rounds")
    if arguments.growth:
        grow(sizes, arguments.rounds)
    elif arguments.wide:
        compare([GROWTH_ARCH], dict.fromkeys(KERNELS, WIDE), rounds=1)
    else:
        compare(archs, sizes, arguments.rounds)


if __name__ == "__main__":
    main()
