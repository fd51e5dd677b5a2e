"""The first layers of a network, by the size of the images."""

from __future__ import annotations

from torch import nn

from lnas.nets.names import ImageSize


def convolutional_stem(channels: int, image_size: ImageSize, relu: bool = False) -> nn.Sequential:
    """Make 3x3 convolutions and batch norms from images to `channels` feature maps at 32 or so pixels.

    Args:
        channels: Width of the output.
        image_size: 32 keeps the resolution (CIFAR; smaller images too), 64 halves it (Tiny-ImageNet), 224 takes an
            eighth in three steps (ImageNet, as in the stem of DARTS: ReLU between, half the width first).
        relu: Whether a ReLU ends it.
    """
    if image_size == 224:
        half = max(1, channels // 2)
        layers = [
            *_conv_bn(3, half, stride=2),
            nn.ReLU(),
            *_conv_bn(half, channels, stride=2),
            nn.ReLU(),
            *_conv_bn(channels, channels, stride=2),
        ]
    else:
        layers = _conv_bn(3, channels, stride=1 if image_size == 32 else 2)
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


def _conv_bn(c_in: int, c_out: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(c_out)]
