"""The zero-shot measures as plainly as they can be written: what the fast ones are checked and timed against.

Each function makes its own copy of the net, in train mode, and its own passes; nothing is shared, batched or skipped,
and nothing is imported from `lnas.proxies`. Bad input is not caught, and a net whose logits do not depend on the images
gives whatever the formula makes of it. All take (net, images (n, C, H, W), labels (n,)) and return a float.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from lnas.nets.nats_topology import ResidualBlock

_Batch = tuple[Tensor, Tensor]
_Layer = nn.Conv2d | nn.Linear

_OUTSIDE_CELLS = {"stem", "head", "lastact", "classifier"}
_JACOB_COV_OFFSET = 1e-5
_RANK_TOLERANCE = 1e-12


def params(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the trainable parameters."""
    return float(sum(weight.numel() for weight in net.parameters() if weight.requires_grad))


def flops(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the multiply-accumulates of convolutions and linear layers for one image: outputs times weights of each."""
    net = _fresh(net).eval()
    counted = []

    def count(layer: _Layer, inputs: tuple[Tensor], output: Tensor) -> None:
        counted.append(output.numel() * layer.weight[0].numel())

    for layer in _layers(net):
        layer.register_forward_hook(count)
    net(images[:1])
    return float(sum(counted))


def grad_norm(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum the Euclidean norms of dL/dW over the layers (Abdelfattah et al. 2021, Sec. 3.2)."""
    return sum(float(gradient.norm()) for _, gradient in _weights_and_gradients(net, images, labels))


def plain(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum W dL/dW over all weights."""
    return sum(float((weight * gradient).sum()) for weight, gradient in _weights_and_gradients(net, images, labels))


def snip(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum |W dL/dW| over all weights (Lee et al. 2019)."""
    return sum(
        float((weight * gradient).abs().sum()) for weight, gradient in _weights_and_gradients(net, images, labels)
    )


def grasp(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum -W (H g) over all weights (Wang et al. 2020): H g is the gradient of g . constant(g)."""
    net = _fresh(net)
    weights = [layer.weight for layer in _layers(net)]
    loss = functional.cross_entropy(net(images), labels)
    gradients = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    torch.stack([(each.detach() * each).sum() for each in gradients if each is not None]).sum().backward()
    return -sum(float((weight.detach() * weight.grad).sum()) for weight in weights if weight.grad is not None)


def fisher(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum the channels' Fisher saliencies, each once for every weight of its channel, as the released code does."""
    return sum(float(saliency.sum()) * weights for saliency, weights in _saliencies(net, images, labels))


def fisher_channel(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum the channels' Fisher saliencies (Theis et al. 2018)."""
    return sum(float(saliency.sum()) for saliency, _ in _saliencies(net, images, labels))


def synflow(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Sum |W dR/dW| (Tanaka et al. 2020) without batch norms; R are the summed logits of an image of ones."""
    return _flow(_without_norms(_absolute(net)), images)


def synflow_log(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Take the logarithm of `synflow`."""
    return math.log(synflow(net, images, labels))


def synflow_bn(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Compute `synflow` with batch norms, in train mode."""
    return _flow(_absolute(net), images)


def synflow_residual_bn(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Compute `synflow` without batch norms but in the residual blocks, where Abdelfattah et al. 2021 left them."""
    return _flow(_without_norms(_absolute(net), kept_in=(ResidualBlock,)), images)


def jacob_cov(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Score how little the input gradients of different images correlate (Mellor et al., first version).

    -sum(log(v + 1e-5) + 1 / (v + 1e-5)) over the eigenvalues v of their correlation matrix.
    """
    pixels = images.clone().requires_grad_()
    _fresh(net)(pixels).sum().backward()
    assert pixels.grad is not None
    values = torch.linalg.eigvalsh(torch.corrcoef(pixels.grad.flatten(1).double())) + _JACOB_COV_OFFSET
    return -float((values.log() + 1 / values).sum())


def relu_logdet(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Take log |det K|, where K counts the ReLU units on which two images agree (Mellor et al. 2021)."""
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)
    for active in _relu_patterns(net, images):
        on = active.float()
        off = 1 - on
        kernel += on @ on.T
        kernel += off @ off.T
    return float(torch.linalg.slogdet(kernel).logabsdet)


def linear_regions(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the distinct activation patterns: those that equal no earlier one (Xiong et al. 2020, as in TE-NAS)."""
    return _count_distinct(torch.cat(_relu_patterns(net, images), dim=1))


def linear_regions_grouped(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the distinct patterns of all images, passed through the net thousand after thousand."""
    return _count_distinct(torch.cat([torch.cat(_relu_patterns(net, part), dim=1) for part in images.split(1000)]))


def ntk_cond(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Divide the largest by the smallest eigenvalue of the kernel of all weights (Chen et al. 2021, TE-NAS)."""
    net = _fresh(net)
    jacobian = _jacobian(net, images, _named_weights(net))
    values = torch.linalg.eigvalsh((jacobian @ jacobian.T).double())
    return float(values[-1] / values[0])


def ntk_mse(net: nn.Module, images: Tensor, labels: Tensor, test: _Batch | None = None) -> float:
    """Regress one-hot labels by the kernel of the last layer's weight (Chen et al., TEG-NAS, eq. 8 and 9).

    The error is the mean Euclidean norm over the images of `test`, by default the second half of the batch.
    """
    net = _fresh(net)
    (images, labels), (test_images, test_labels) = _halves(images, labels) if test is None else ((images, labels), test)
    train, held_out = (_jacobian(net, batch, [_classifier(net).weight]).double() for batch in (images, test_images))
    targets, truth = (_one_hot(each, _classifier(net).out_features) for each in (labels, test_labels))
    inverse = torch.linalg.pinv(train @ train.T, rtol=_RANK_TOLERANCE, hermitian=True)
    predicted = held_out @ train.T @ inverse @ targets
    return float((predicted - truth).norm(dim=1).mean())


def ntk_mse_cells(net: nn.Module, images: Tensor, labels: Tensor, test: _Batch | None = None) -> float:
    """Regress centred one-hot labels by the kernel of the cells' weights, as the released code of TEG-NAS does.

    The error is the mean squared norm over the images of `test`, by default the second half of the batch.
    """
    net = _fresh(net)
    (images, labels), (test_images, test_labels) = _halves(images, labels) if test is None else ((images, labels), test)
    train, held_out = (_jacobian(net, batch, _cell_weights(net)).double() for batch in (images, test_images))
    targets, truth = (_centred(_one_hot(each, _classifier(net).out_features)) for each in (labels, test_labels))
    predicted = held_out @ train.T @ torch.linalg.inv(train @ train.T) @ targets
    return float((predicted - truth).square().sum(dim=1).mean())


PLAIN: dict[str, Callable[..., float]] = {
    "params": params,
    "flops": flops,
    "grad_norm": grad_norm,
    "plain": plain,
    "snip": snip,
    "grasp": grasp,
    "fisher": fisher,
    "fisher_channel": fisher_channel,
    "synflow": synflow,
    "synflow_log": synflow_log,
    "synflow_bn": synflow_bn,
    "synflow_residual_bn": synflow_residual_bn,
    "jacob_cov": jacob_cov,
    "relu_logdet": relu_logdet,
    "linear_regions": linear_regions,
    "linear_regions_grouped": linear_regions_grouped,
    "ntk_cond": ntk_cond,
    "ntk_mse": ntk_mse,
    "ntk_mse_cells": ntk_mse_cells,
}


def _fresh(net: nn.Module) -> nn.Module:
    twin = copy.deepcopy(net).train()
    twin.zero_grad(set_to_none=True)
    return twin


def _layers(net: nn.Module) -> list[_Layer]:
    return [module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def _weights_and_gradients(net: nn.Module, images: Tensor, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    net = _fresh(net)
    functional.cross_entropy(net(images), labels).backward()
    return _weights_with_gradients(net)


def _weights_with_gradients(net: nn.Module) -> list[tuple[Tensor, Tensor]]:
    weights = [layer.weight for layer in _layers(net)]
    return [(weight.detach(), weight.grad) for weight in weights if weight.grad is not None]


def _saliencies(net: nn.Module, images: Tensor, labels: Tensor) -> list[tuple[Tensor, int]]:
    """Return, for each layer, 0.5 mean_n (sum_hw a dL/da)^2 of each channel, and how many weights a channel has."""
    net = _fresh(net)
    outputs: list[tuple[_Layer, Tensor]] = []

    def keep(layer: _Layer, inputs: tuple[Tensor], output: Tensor) -> None:
        output.retain_grad()
        outputs.append((layer, output))

    for layer in _layers(net):
        layer.register_forward_hook(keep)
    functional.cross_entropy(net(images), labels).backward()
    return [
        (_channel_saliency(layer, output.detach() * output.grad), layer.weight[0].numel())
        for layer, output in outputs
        if output.grad is not None
    ]


def _channel_saliency(layer: _Layer, product: Tensor) -> Tensor:
    by_channel = product.movedim(-1, 1) if isinstance(layer, nn.Linear) else product
    per_image = by_channel.reshape(*by_channel.shape[:2], -1).sum(dim=2)
    return per_image.square().mean(dim=0) / 2


def _absolute(net: nn.Module) -> nn.Module:
    net = _fresh(net).double()
    for tensor in net.state_dict().values():
        tensor.abs_()
    return net


def _without_norms(net: nn.Module, kept_in: tuple[type[nn.Module], ...] = ()) -> nn.Module:
    for name, child in net.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            setattr(net, name, nn.Identity())
        elif not isinstance(child, kept_in):
            _without_norms(child, kept_in)
    return net


def _flow(net: nn.Module, images: Tensor) -> float:
    net(torch.ones(1, *images.shape[1:], dtype=torch.float64)).sum().backward()
    return sum(float((weight * gradient).abs().sum()) for weight, gradient in _weights_with_gradients(net))


@torch.no_grad()
def _relu_patterns(net: nn.Module, images: Tensor) -> list[Tensor]:
    """Return, for each call of a ReLU, which units are on: bools (n, units)."""
    net = _fresh(net)
    patterns: list[Tensor] = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda module, inputs, output: patterns.append((output > 0).flatten(1)))
    net(images)
    return patterns


def _count_distinct(rows: Tensor) -> float:
    is_new = [not (rows[:i] == rows[i]).all(dim=1).any() for i in range(len(rows))]
    return float(sum(is_new))


def _named_weights(net: nn.Module) -> list[Tensor]:
    return [weight for name, weight in net.named_parameters() if "weight" in name]


def _cell_weights(net: nn.Module) -> list[Tensor]:
    named = net.named_parameters()
    return [weight for name, weight in named if "weight" in name and name.split(".")[0] not in _OUTSIDE_CELLS]


def _jacobian(net: nn.Module, images: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Return the gradient of the sum of each image's logits, image by image: (n, number of weights)."""
    rows = []
    for logits in net(images):
        gradients = torch.autograd.grad(logits.sum(), weights, retain_graph=True, allow_unused=True)
        rows.append(torch.cat([gradient.flatten() for gradient in gradients if gradient is not None]))
    return torch.stack(rows)


def _halves(images: Tensor, labels: Tensor) -> tuple[_Batch, _Batch]:
    half = len(images) // 2
    return (images[:half], labels[:half]), (images[half:], labels[half:])


def _classifier(net: nn.Module) -> nn.Linear:
    return [module for module in net.modules() if isinstance(module, nn.Linear)][-1]


def _one_hot(labels: Tensor, classes: int) -> Tensor:
    return functional.one_hot(labels, classes).double()


def _centred(targets: Tensor) -> Tensor:
    return targets - targets.mean(dim=0)
