"""Forward passes of NATS topology cells: our networks against the straightforward build, in one run.

    python scripts/benchmark_forward.py [--cells 12] [--rounds 5]

The straightforward build is NCHW and computes every edge, `none` as a multiplication by zero. Both have the same
weights and must agree. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch
from torch import Tensor, nn

from lnas.nets import build_net
from lnas.nets.nats_topology import NatsTopologyCell, NatsTopologyNet
from lnas.spaces import NatsTopologySpace
from lnas.spaces.nats_topology import EDGES, NODES, OPS
from lnas.types import Arch


class Zero(nn.Module):
    """The operation `none`."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiply by zero."""
        return x * 0


class PlainCell(nn.Module):
    """A cell that computes all six edges."""

    def __init__(self, cell: NatsTopologyCell, arch: Arch) -> None:
        super().__init__()
        names = [f"{source}->{target}" for source, target in EDGES]
        self.edges = nn.ModuleList(
            Zero() if OPS[gene] == "none" else cell.edges[name][OPS[gene]]
            for name, gene in zip(names, arch.genes, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Sum at each node what its edges give."""
        nodes = [x]
        for target in range(1, NODES):
            edges = [(self.edges[k], source) for k, (source, end) in enumerate(EDGES) if end == target]
            nodes.append(sum(edge(nodes[source]) for edge, source in edges))
        return nodes[-1]


def straightforward(net: NatsTopologyNet, arch: Arch) -> nn.Module:
    """Return the plain build with the weights of ours, in NCHW."""
    blocks = [PlainCell(block, arch) if isinstance(block, NatsTopologyCell) else block for block in net.blocks]
    return nn.Sequential(net.stem, *blocks, net.head, net.classifier).to(memory_format=torch.contiguous_format)


def seconds(net: nn.Module, images: Tensor) -> float:
    """Time one forward pass."""
    started = time.perf_counter()
    net(images)
    return time.perf_counter() - started


@torch.no_grad()
def main() -> None:
    """Print a line for each cell, then the ratio of the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    space, rng = NatsTopologySpace(), np.random.default_rng(0)
    images = torch.randn(128, 3, 32, 32)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, 128 images, C=16, N=5, eval mode")
    totals = np.zeros(2)
    for _ in range(arguments.cells):
        arch = space.sample(rng)
        torch.manual_seed(0)
        ours = build_net(arch).eval()
        torch.manual_seed(0)
        plain = straightforward(build_net(arch), arch).eval()
        torch.testing.assert_close(ours(images), plain(images), rtol=1e-3, atol=1e-4)
        pairs = [(seconds(plain, images), seconds(ours, images)) for _ in range(arguments.rounds)]
        medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
        totals += medians
        print(f"{medians[0]:.3f} s plain, {medians[1]:.3f} s ours, ratio {medians[0] / medians[1]:5.2f}  {arch}")
    plain_mean, our_mean = totals / arguments.cells
    print(f"mean {plain_mean:.3f} s plain, {our_mean:.3f} s ours: ratio {plain_mean / our_mean:.2f}")


if __name__ == "__main__":
    main()
