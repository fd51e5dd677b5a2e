"""Which memory layout trains faster, by width: NCHW and channels-last, alternating, in one run.

    python scripts/benchmark_layout.py [--rounds 5]

`lnas.nets.build_net` takes channels-last from the width on where this says so. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import nn

from lnas.nets import build_net
from lnas.spaces import NatsTopologySpace

CELL = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|"
SIZES = [(3, 1, 32), (4, 1, 8), (8, 1, 8), (8, 1, 32), (16, 1, 8), (16, 5, 32)]  # channels, cells, pixels


def seconds_per_step(channels: int, cells: int, pixels: int, layout: torch.memory_format) -> float:
    """Time steps on 100 images: forward, backward, update."""
    torch.manual_seed(0)
    net = build_net(NatsTopologySpace().parse(CELL), channels=channels, cells=cells).to(memory_format=layout)
    images, labels = torch.randn(100, 3, pixels, pixels), torch.randint(10, (100,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    steps = 2 if pixels * cells > 64 else 20
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
    rounds = parser.parse_args().rounds
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, median of {rounds} rounds")
    for channels, cells, pixels in SIZES:
        pairs = [
            [
                seconds_per_step(channels, cells, pixels, layout)
                for layout in (torch.contiguous_format, torch.channels_last)
            ]
            for _ in range(rounds)
        ]
        plain, last = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(
            f"C={channels:<2} N={cells} {pixels:>2} pixels: NCHW {1000 * plain:7.1f} ms, channels-last "
            f"{1000 * last:7.1f} ms, ratio {plain / last:.2f}"
        )


if __name__ == "__main__":
    main()
