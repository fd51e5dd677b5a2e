"""What a network does with a batch: the passes that several measures share.

`relu_agreement`: (n, n) float64, on how many ReLU units two images agree. `relu_codes`: (n, bytes) uint8, the packed
pattern of each image. `weights`, `gradients`: of every convolution and linear layer that the loss reaches, in order;
the loss is the mean cross-entropy. `saliencies`: of the same layers' channels, for `fisher`. `hessian_gradients`: H g
for each of the weights. `input_gradients`: (n, pixels), the gradient of the sum of all logits. `features`: (n, d), what
the classifier takes in. All in train mode.

Made elsewhere: `net`, `images`, the labels `fit_labels` and `test_labels`, and `test_features` in
`lnas.proxies.scoring`; `weight_gram` and `cell_grams` in `lnas.proxies.ntk_grams`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.proxies.batch_norm import twice_differentiable_norms
from lnas.proxies.catalogue import Observation
from lnas.proxies.channel_saliency import SaliencyWatcher
from lnas.proxies.relu_activity import ReluAgreement, ReluCodes, watched_relus
from lnas.proxies.substitution import substituted
from lnas.proxies.weights import weight_names

_OF_THE_LOSS: Set[Observation] = {"weights", "gradients", "saliencies", "hessian_gradients"}
_RELU_WATCHERS: Mapping[str, type[ReluAgreement] | type[ReluCodes]] = {
    "relu_agreement": ReluAgreement,
    "relu_codes": ReluCodes,
}
_ALIKE = 8
"""Logits that differ by no more than this many roundings are the same."""
OBSERVABLE: Set[Observation] = _OF_THE_LOSS | {"relu_agreement", "relu_codes", "input_gradients", "features"}


def observe(net: nn.Module, images: Tensor, labels: Tensor | None, wanted: Set[str]) -> dict[str, Any]:
    """Make the observations that are wanted by one forward pass and as many backward passes as they need.

    One for the loss's gradients and the saliencies, one for the inputs' gradients, and, where `hessian_gradients` are
    wanted, one through the first. Call it inside `preserved`.

    Args:
        net: In train mode.
        images: Shape (n, C, H, W).
        labels: Shape (n,); may be None where nothing of the loss is wanted.
        wanted: Names out of `OBSERVABLE`.

    Raises:
        UsageError: If the net does not return logits, or a label is no class of it.

    Returns:
        The observations by name and the `logits`; those alone where they have a flaw. Absent is what the net has no
        layers for; an error stands in the place of an observation that raised.
    """
    relus = {name: make() for name, make in _RELU_WATCHERS.items() if name in wanted}
    names = weight_names(net) if wanted & _OF_THE_LOSS else []
    weights = {name: net.get_parameter(name).detach().requires_grad_() for name in names}
    images = images.detach().requires_grad_("input_gradients" in wanted)
    channels = SaliencyWatcher()
    with ExitStack() as watching:
        watching.callback(channels.detach)
        if "saliencies" in wanted:
            channels.attach(net)
        features = watching.enter_context(_watched_features(net)) if "features" in wanted else {}
        watching.enter_context(watched_relus(net, len(images), list(relus.values())))
        if "hessian_gradients" in wanted:
            watching.enter_context(substituted(twice_differentiable_norms(net)))
        watching.enter_context(torch.set_grad_enabled(bool(weights) or images.requires_grad))
        logits = torch.func.functional_call(net, weights, (images.clone(),))  # which the net may write over
        check_logits(logits, len(images))
        check_labels(labels, logits)
        if flaw_of(logits):
            return {"logits": logits.detach()}
        seen: dict[str, Any] = {name: watcher.value() for name, watcher in relus.items()}
        seen["features"] = features.get(logits.shape)
        found: dict[str, Any] = {"logits": logits.detach(), **{k: v for k, v in seen.items() if v is not None}}
        if labels is not None and weights:
            loss = nn.functional.cross_entropy(logits, labels)
            found |= _first_and_second_order(loss, list(weights.values()), wanted, channels)
        if images.requires_grad:
            (gradients,) = torch.autograd.grad(logits.sum(), images)
            found["input_gradients"] = gradients.flatten(1)
    return found


def _first_and_second_order(
    loss: Tensor, weights: Sequence[Tensor], wanted: Set[str], channels: SaliencyWatcher
) -> dict[str, Any]:
    second_order = "hessian_gradients" in wanted
    again = second_order or "input_gradients" in wanted
    every = torch.autograd.grad(loss, weights, allow_unused=True, retain_graph=again, create_graph=second_order)
    channels.detach()
    reached = [weight for weight, gradient in zip(weights, every, strict=True) if gradient is not None]
    gradients = [gradient for gradient in every if gradient is not None]
    found: dict[str, Any] = {
        "weights": [weight.detach() for weight in reached],
        "gradients": [gradient.detach() for gradient in gradients],
        "saliencies": channels.saliencies(),
    }
    if second_order:
        try:
            found["hessian_gradients"] = _hessian_gradients(gradients, reached, again)
        except Exception as error:  # what cannot be differentiated twice still has first derivatives
            found["hessian_gradients"] = error
    return found


def _hessian_gradients(gradients: Sequence[Tensor], weights: Sequence[Tensor], again: bool) -> Sequence[Tensor]:
    squares = torch.stack([(gradient.detach() * gradient).sum() for gradient in gradients])
    return torch.autograd.grad(squares.sum(), weights, allow_unused=True, materialize_grads=True, retain_graph=again)


def check_logits(logits: object, images: int) -> None:
    """Raise `UsageError` if what a net returned for some images is no tensor (n, classes)."""
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != images:
        got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        expected = f"a net that returns logits of shape ({images}, classes)"
        raise UsageError(complaint("score(net, images, ...)", expected, got, "Wrap the net in one that does."))


def check_labels(labels: Tensor | None, logits: Tensor) -> None:
    """Raise `UsageError` if a label is no class of the net."""
    if labels is not None and labels.max() >= logits.shape[1]:
        expected = f"labels below {logits.shape[1]}, as many as the net has logits"
        raise UsageError(
            complaint("score(net, images, labels, ...)", expected, int(labels.max()), "Check the classes.")
        )


def flaw_of(logits: Tensor) -> str:
    """Tell why nothing can be measured of a net that gives these logits (n, classes); empty where something can."""
    if not logits.isfinite().all():
        return "the logits are not finite"
    spread, size = (logits - logits[:1]).abs().max(), logits.abs().max()
    if spread <= _ALIKE * torch.finfo(logits.dtype).eps * size:
        return "the logits are the same for all images"
    return ""


@contextmanager
def _watched_features(net: nn.Module) -> Iterator[dict[torch.Size, Tensor]]:
    """Keep what `net.classifier`, or else the last linear layer, takes in inside the block, by the shape it gives out.

    Which tells a classifier from another layer, as there is in a net that ends with a convolution.
    """
    seen: dict[torch.Size, Tensor] = {}

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        seen[output.shape] = inputs[0].detach()

    linear = [module for module in net.modules() if isinstance(module, nn.Linear)]
    own = getattr(net, "classifier", None)
    watched = [own] if isinstance(own, nn.Linear) else linear[-1:]
    hooks = [layer.register_forward_hook(keep) for layer in watched]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
