"""The backward pass of a convolution and the batch norm that follows it, for many cotangents at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from lnas.proxies.jacobian_convolution import input_gradient, is_narrow


def absorbs(norm: Any, source: Any) -> bool:
    """Tell whether two nodes of autograd's graph, a source and what takes its output, are served by this module."""
    return (
        norm.name() == "NativeBatchNormBackward0"
        and source.name() == "ConvolutionBackward0"
        and norm._saved_training
        and is_narrow(source)
        and source._saved_groups == 1
    )


class NormedConvolution:
    """The pullback of a batch norm, in train mode, of a convolution.

    With g the cotangents of its output, z the normalised output and N the pixels of a channel, the batch norm's own
    pullback is `scale * (g - sum(g) / N - z * sum(g * z) / N)`. So the gradients of all weights follow from the
    products of g with the patches of the convolution's input, with ones and with z: one matrix product, whose rows are
    the channels of all cotangents. The scale is moved into the kernel.

    Args:
        norm: A `NativeBatchNormBackward0`.
        convolution: The `ConvolutionBackward0` whose output it takes.
        wanted: Whether the cotangents matter of the convolution's input, weight and bias, the norm's weight and bias.
    """

    def __init__(self, norm: Any, convolution: Any, wanted: Sequence[bool]) -> None:
        outputs, weight = norm._saved_input, convolution._saved_weight
        self._weight_shape = weight.shape
        self._taps = weight[0].numel()
        self._count = outputs.numel() // outputs.shape[1]
        self._scale = norm._saved_result2 if norm._saved_weight is None else norm._saved_result2 * norm._saved_weight
        self._fields = _fields(norm, convolution)
        patches, channels = self._fields[:, : self._taps], self._fields[:, self._taps :]
        self._means = (channels @ patches.mT).sum(0) / self._count
        scaled = weight * self._scale.view(-1, 1, 1, 1)
        self._to_input = input_gradient(convolution, scaled) if wanted[0] else None

    def __call__(self, stack: Tensor) -> Sequence[Tensor | None]:
        """Map cotangents (K, n, C', H', W') to those of the convolution's and the norm's inputs."""
        folded = stack.transpose(0, 1).flatten(1, 2).flatten(2)
        products = (folded @ self._fields.mT).sum(0).unflatten(0, (len(stack), -1))
        shift, slope = products[..., self._taps], products[..., self._taps + 1 :].diagonal(dim1=1, dim2=2)
        of_means = shift[..., None] * self._means[0] + slope[..., None] * self._means[1:]
        weights = (products[..., : self._taps] - of_means) * self._scale[:, None]
        inputs = None
        if self._to_input:
            coupling = torch.cat([shift[..., None], slope.diag_embed()], dim=2).flatten(0, 1)
            channels = self._fields[:, self._taps :]
            coupled = torch.baddbmm(folded, coupling.expand(len(folded), -1, -1), channels, alpha=-1 / self._count)
            inputs = self._to_input(coupled.view(stack.transpose(0, 1).shape).transpose(0, 1))
        # The batch norm undoes whatever a bias of the convolution adds.
        return inputs, weights.unflatten(2, self._weight_shape[1:]), None, slope, shift


def _fields(norm: Any, convolution: Any) -> Tensor:
    """Return what cotangents are multiplied with, (n, taps + 1 + C', pixels): patches, ones, the normalised output."""
    outputs, weight = norm._saved_input, convolution._saved_weight
    taps = weight[0].numel()
    fields = outputs.new_empty(len(outputs), taps + 1 + len(weight), outputs[0, 0].numel())
    fields[:, :taps].unflatten(1, weight.shape[1:]).unflatten(4, outputs.shape[2:]).copy_(_patches(convolution))
    fields[:, taps] = 1
    centred = torch.sub(outputs.flatten(2), norm._saved_result1[:, None], out=fields[:, taps + 1 :])
    centred *= norm._saved_result2[:, None]
    return fields


def _patches(convolution: Any) -> Tensor:
    """Return a view (n, C, k, k, H', W') of the padded input: what each tap of the kernel meets."""
    kernel, pixels = convolution._saved_weight.shape[2:], convolution._input_metadata[0].shape[2:]
    (down, across), (far_down, far_across) = convolution._saved_stride, convolution._saved_dilation
    rows, columns = convolution._saved_padding
    padded = pad(convolution._saved_input, (columns, columns, rows, rows)).contiguous()
    image, channel, row, column = padded.stride()
    strides = (image, channel, row * far_down, column * far_across, row * down, column * across)
    return padded.as_strided((*padded.shape[:2], *kernel, *pixels), strides)
