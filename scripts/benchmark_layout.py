"""Which memory layout trains faster, by space and width: NCHW and channels-last, alternating, in one run.

    python scripts/benchmark_layout.py [--rounds 5] [--spaces nats_topology darts]

`lnas.nets.build_net` takes channels-last from the width on where this says so. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import nn

from lnas.nets import build_net
from lnas.spaces import SPACES, published_genotype
from lnas.types import Arch

ARCHS = {
    "nats_topology": Arch("nats_topology", (3, 2, 1, 4, 1, 3)),
    "nats_size": Arch("nats_size", (7, 5, 5, 3, 7)),
    "nasbench101": SPACES["nasbench101"]().parse(
        '{"module_adjacency": [[0, 1, 1, 0, 1], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]], '
        '"module_operations": ["input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output"]}'
    ),
    "darts": published_genotype("DARTS_V2"),
    "nds_resnet": Arch("nds_resnet", (1, 1, 1, 0, 2, 5)),
    "nds_resnext_a": Arch("nds_resnext_a", (1, 1, 1, 1, 2, 3, 1, 1, 1, 2, 2, 2)),
}
SIZES = {  # channels, cells, pixels
    "nats_topology": [(3, 1, 32), (4, 1, 8), (8, 1, 8), (8, 1, 32), (16, 1, 8), (16, 5, 32)],
    "nats_size": [(8, None, 32), (16, None, 32), (64, None, 32)],
    "nasbench101": [(4, 1, 32), (8, 1, 32), (16, 1, 32)],
    "darts": [(1, 3, 32), (4, 3, 32), (8, 3, 32), (16, 8, 32)],
    "nds_resnet": [(4, None, 32), (8, None, 32), (16, None, 32)],
    "nds_resnext_a": [(4, None, 32), (8, None, 32), (16, None, 32)],
}
IMAGES = 64


def seconds_per_step(arch: Arch, channels: int, cells: int | None, pixels: int, layout: torch.memory_format) -> float:
    """Time steps on a batch: forward, backward, update."""
    torch.manual_seed(0)
    net = build_net(arch, channels=channels, cells=cells).to(memory_format=layout)
    images, labels = torch.randn(IMAGES, 3, pixels, pixels), torch.randint(10, (IMAGES,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    steps = 2 if pixels * channels > 200 else 10
    for step in range(steps + 1):
        if step == 1:
            started = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()
    return (time.perf_counter() - started) / steps


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--spaces", nargs="+", choices=SIZES, default=list(SIZES))
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, median of {arguments.rounds} rounds")
    for space in arguments.spaces:
        for channels, cells, pixels in SIZES[space]:
            pairs = [
                [
                    seconds_per_step(ARCHS[space], channels, cells, pixels, layout)
                    for layout in (torch.contiguous_format, torch.channels_last)
                ]
                for _ in range(arguments.rounds)
            ]
            plain, last = (statistics.median(column) for column in zip(*pairs, strict=True))
            depth = "" if cells is None else f" N={cells}"
            print(
                f"{space:<13} C={channels:<2}{depth:<5} {pixels:>2} pixels: NCHW {1000 * plain:7.1f} ms, "
                f"channels-last {1000 * last:7.1f} ms, ratio {plain / last:.2f}"
            )


if __name__ == "__main__":
    main()
