"""Fisher information of the channels."""

from __future__ import annotations

from collections.abc import Sequence

from lnas.proxies.channel_saliency import Saliency


def fisher(saliencies: Sequence[Saliency]) -> float:
    """Sum the saliency of every weight, which is that of its channel: a channel counts as often as it has weights.

    That is what the released code of Abdelfattah et al. 2021 computes, and what their numbers are of.
    """
    return sum(float(layer.of_channels.sum()) * layer.weights_per_channel for layer in saliencies)


def fisher_channel(saliencies: Sequence[Saliency]) -> float:
    """Sum the saliency of every channel once, as Turner et al. 2020 define it."""
    return sum(float(layer.of_channels.sum()) for layer in saliencies)
