"""What a Lightning Trainer costs in one short training: the bare loop and the Trainer, alternating, in one run.

    python scripts/benchmark_trainer.py [--rounds 5] [--skip-full-size]

Prints the median seconds of both and the overhead. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial

import torch
from torch import nn

from lnas.data import DigitsData, Split, proxy_subset
from lnas.data.batches import prepare
from lnas.data.images import ImageData
from lnas.data.module import ProxyDataModule
from lnas.nets import build_net
from lnas.spaces import NatsTopologySpace
from lnas.training import CandidateModule, quiet_lightning, short_trainer
from lnas.training.callbacks import AngleCallback, LossCallback

CELL = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|"
STEPS = 50
SGD = partial(torch.optim.SGD, lr=0.2, momentum=0.9, weight_decay=5e-4, nesterov=True)


def make_net(channels: int, cells: int) -> nn.Module:
    """Build the same network each time."""
    torch.manual_seed(0)
    return build_net(NatsTopologySpace().parse(CELL), channels=channels, cells=cells)


def bare_loop(net: nn.Module, proxy: Split, data: ImageData) -> float:
    """Train without Lightning: the same images, augmentation and steps."""
    batch = torch.from_numpy(proxy.images), torch.from_numpy(proxy.labels)
    started = time.perf_counter()
    net.train()
    optimizer = SGD(net.parameters())
    for _ in range(STEPS):
        images, labels = prepare(batch, data, augment=True)
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started


def trainer(net: nn.Module, proxy: Split, data: ImageData) -> float:
    """Train as the short-training estimator does, module, Trainer and callbacks included."""
    started = time.perf_counter()
    with quiet_lightning():
        callbacks = [AngleCallback(), LossCallback()]
        module = CandidateModule(net, data.num_classes, SGD)
        short_trainer(STEPS, callbacks).fit(module, datamodule=ProxyDataModule(proxy, data, STEPS, augment=True))
    return time.perf_counter() - started


def upscaled(split: Split, factor: int) -> Split:
    """Repeat pixels, so that the digits stand in for larger images."""
    return Split(split.images.repeat(factor, axis=2).repeat(factor, axis=3), split.labels)


def main() -> None:
    """Measure both sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-full-size", action="store_true")
    arguments = parser.parse_args()
    data = DigitsData()
    small = proxy_subset(data.splits["train"], 10, 10, seed=0)
    sizes = {"quickstart: 8x8 pixels, C=8, N=1": (small, 8, 1, arguments.rounds)}
    if not arguments.skip_full_size:
        sizes["paper: 32x32 pixels, C=16, N=5"] = (upscaled(small, 4), 16, 5, max(1, arguments.rounds // 2))
    print(
        f"{STEPS} full-batch steps on {len(small)} images, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    for name, (proxy, channels, cells, rounds) in sizes.items():
        trainer(make_net(channels, 1), small, data)  # first use costs imports
        pairs = [
            (
                bare_loop(make_net(channels, cells), proxy, data),
                trainer(make_net(channels, cells), proxy, data),
            )
            for _ in range(rounds)
        ]
        bare, with_trainer = (statistics.median(column) for column in zip(*pairs, strict=True))
        overhead = statistics.median(t / b for b, t in pairs) - 1
        print(
            f"{name}: bare loop {bare:.3f} s, Trainer {with_trainer:.3f} s, "
            f"overhead {100 * overhead:+.1f} % (median of {rounds} pairs)"
        )


if __name__ == "__main__":
    main()
