"""Several measures of one network on one batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

from torch import Tensor, nn

from lnas.errors import UsageError, complaint, unknown_name
from lnas.proxies.catalogue import PROXIES, Observation, ProxyInfo
from lnas.proxies.ntk_grams import observe_grams
from lnas.proxies.observation import OBSERVABLE, check_labels, flaw_of, observe
from lnas.proxies.preservation import preserved
from lnas.types import Estimate

_LABELLED: Set[Observation] = {"gradients", "hessian_gradients", "saliencies", "fit_labels"}
_FEWEST = 2


class Batch(NamedTuple):
    """Images (n, C, H, W) and their labels (n,), which may be absent."""

    images: Tensor
    labels: Tensor | None

    def for_gradients(self) -> Batch:
        """Return labels as losses take them, and tensors that autograd may save, as none made in inference mode."""
        labels = None if self.labels is None else _saved_by_autograd(self.labels).long()
        return Batch(_saved_by_autograd(self.images), labels)

    def halves(self) -> tuple[Batch, Batch]:
        """Return the first half and the second."""
        half = len(self.images) // 2
        first, second = (None, None) if self.labels is None else (self.labels[:half], self.labels[half:])
        return Batch(self.images[:half], first), Batch(self.images[half:], second)


def score(
    net: nn.Module,
    images: Tensor,
    labels: Tensor | None,
    names: Iterable[str],
    *,
    seed: int = 0,
    test: tuple[Tensor, Tensor] | None = None,
) -> dict[str, Estimate]:
    """Measure a network on a batch, each pass that several measures need being made once.

    The net is measured in train mode, with the batch's statistics, and left as found: weights, gradients, hooks, modes,
    buffers, and the random generators of the process. A set of measures costs about as much as its dearest member.

    Args:
        net: Maps images to logits.
        images: Shape (n, C, H, W), n >= 2, of the net's own dtype; n >= 4 where half of them test.
        labels: Shape (n,), integers; may be None where no measure needs them.
        names: Out of `PROXIES`.
        seed: Of whatever is random in the net, such as dropout.
        test: Images and labels to test on, for `ntk_mse` and `ntk_mse_cells`. Without it, what the first half of the
            batch was fitted on is tested on the second.

    Returns:
        An estimate for each name. Its seconds are those of its own function and of all passes it needs. It is
        "nonfinite" where the measure came out as inf or NaN, and for all but `params` and `flops` where the logits are
        not finite or the same for all images; "failed" where something raised.

    Raises:
        UsageError: If a name is unknown, or images and labels are not as described.

    Example:
        >>> import torch
        >>> from lnas.nets import build_net
        >>> from lnas.types import Arch
        >>> net = build_net(Arch("nats_topology", (3, 1, 2, 0, 4, 3)), channels=4, cells=1)
        >>> estimates = score(net, torch.randn(4, 3, 8, 8), torch.arange(4), ["params", "snip"])
        >>> estimates["params"].value
        11446.0
    """
    if not isinstance(net, nn.Module):
        raise UsageError(complaint("score(net, ...)", "a torch.nn.Module", net, "Build the net first."))
    infos = _look_up(names)
    needs = {need for info in infos.values() for need in info.needs}
    batch, tested = Batch(images, labels), _test_batch(test)
    _check(net, batch, needs, "batch")
    if tested:
        _check(net, tested, needs, "test")
    elif "test_labels" in needs and len(images) < 2 * _FEWEST:
        expected, step = f"n >= {2 * _FEWEST} images, since half of them test", "Pass more, or others as test=."
        raise UsageError(complaint("score(net, images, labels, ...)", expected, len(images), step))
    with nullcontext() if needs <= {"net"} else preserved(net, seed):
        passes = _Passes(_plan(net, batch.for_gradients(), tested and tested.for_gradients(), needs))
        return {name: passes.measure(info) for name, info in infos.items()}


_Pass = Callable[[], Mapping[Any, Any]]


class _Outcome(NamedTuple):
    """What a pass gave, or the error that ended it, or what makes it void; and how long it took."""

    found: Mapping[str, Any]
    error: Exception | None
    flaw: str
    seconds: float


class _Passes:
    """Makes each pass when the first measure needs it, and no pass twice."""

    def __init__(self, plan: Mapping[Observation, _Pass]) -> None:
        self._plan = plan
        self._outcomes: dict[_Pass, _Outcome] = {}

    def measure(self, info: ProxyInfo) -> Estimate:
        """Make the passes a measure needs, and apply it."""
        outcomes = {need: self._outcome(self._plan[need]) for need in info.needs}
        seconds = sum({id(outcome): outcome.seconds for outcome in outcomes.values()}.values())
        for need, outcome in outcomes.items():
            if outcome.error:
                return Estimate.failure(outcome.error, seconds)
            if outcome.flaw:
                return Estimate(math.nan, "nonfinite", seconds, {"reason": outcome.flaw})
            if need not in outcome.found:
                return Estimate.failure(_nothing_to_see(need), seconds)
            if isinstance(outcome.found[need], Exception):
                return Estimate.failure(outcome.found[need], seconds)
        function = info.load()
        started = time.perf_counter()
        try:
            value = function(*(outcome.found[need] for need, outcome in outcomes.items()))
        except Exception as error:
            return Estimate.failure(error, seconds + time.perf_counter() - started)
        return Estimate.of(value, seconds + time.perf_counter() - started)

    def _outcome(self, make: _Pass) -> _Outcome:
        if make not in self._outcomes:
            started = time.perf_counter()
            found: Mapping[Any, Any] = {}
            error = None
            try:
                found = make()
            except UsageError:
                raise
            except Exception as raised:  # whatever a candidate's network does, the search goes on
                error = raised
            flaw = flaw_of(found["logits"]) if "logits" in found else ""
            self._outcomes[make] = _Outcome(found, error, flaw, time.perf_counter() - started)
        return self._outcomes[make]


def _plan(net: nn.Module, batch: Batch, test: Batch | None, needs: Set[Observation]) -> dict[Observation, _Pass]:
    """Say which pass makes each observation."""
    fit, tested = batch.halves() if test is None else (batch, test)
    given: dict[Observation, Any] = {
        "net": net,
        "images": batch.images,
        "fit_labels": fit.labels,
        "test_labels": tested.labels,
    }
    whole = partial(observe, net, batch.images, batch.labels, needs & OBSERVABLE)
    fitted = whole if fit is batch else partial(observe, net, fit.images, fit.labels, {"features"})
    to_fit_and_test = partial(_kernels, net, fit, tested)
    together = fit is batch and "cell_grams" in needs
    return {
        **dict.fromkeys(given, lambda: given),
        **dict.fromkeys(OBSERVABLE, whole),
        "features": fitted,
        "test_features": partial(_test_features, net, *tested),
        "weight_gram": to_fit_and_test if together else partial(_kernels, net, batch, None),
        "cell_grams": to_fit_and_test,
    }


def _saved_by_autograd(tensor: Tensor) -> Tensor:
    return tensor.clone() if tensor.is_inference() else tensor


def _test_features(net: nn.Module, images: Tensor, labels: Tensor | None) -> dict[str, Any]:
    found = observe(net, images, labels, {"features"})
    return {"test_features" if name == "features" else name: value for name, value in found.items()}


def _kernels(net: nn.Module, fit: Batch, tested: Batch | None) -> Mapping[str, Any]:
    found = observe_grams(net, fit.images.clone(), tested.images.clone() if tested else None)
    check_labels(fit.labels, found["logits"])
    if tested:
        check_labels(tested.labels, found["logits"])
    return found


def _nothing_to_see(need: Observation) -> UsageError:
    expected = {
        "relu_agreement": "a net that calls modules of torch.nn.ReLU",
        "relu_codes": "a net that calls modules of torch.nn.ReLU",
        "features": "a net with a linear classifier",
        "test_features": "a net with a linear classifier",
    }.get(need, "a net with convolutions or linear layers")
    return UsageError(complaint("score(net, ...)", expected, "none", "Functional calls are not seen; or leave it out."))


def _look_up(names: Iterable[str]) -> dict[str, ProxyInfo]:
    call = f"score(net, images, labels, {names!r})"
    if isinstance(names, str) or not isinstance(names, Iterable):
        example = names if isinstance(names, str) else "snip"
        raise UsageError(complaint(call, "a list of names", names, f'Example: ["{example}"].'))
    chosen = list(names)
    for name in chosen:
        if name not in PROXIES:
            raise UsageError(f"score(net, images, labels, {chosen!r}): {unknown_name('measure', str(name), PROXIES)}")
    return {name: PROXIES[name] for name in chosen}


def _test_batch(test: object) -> Batch | None:
    if test is None:
        return None
    if not isinstance(test, Sequence) or len(test) != len(Batch._fields):
        expected, step = "images and their labels", "Example: test=(images, labels)."
        raise UsageError(complaint("score(net, test=...)", expected, _shape(test), step))
    return Batch(*test)


def _check(net: nn.Module, batch: Batch, needs: Set[Observation], what: str) -> None:
    call = f"score(net, {what}=...)" if what == "test" else "score(net, images, labels, ...)"
    images, labels = batch
    if not isinstance(images, Tensor) or images.ndim != 4 or len(images) < _FEWEST:
        step = "A single image has no batch statistics and nothing to be compared with."
        raise UsageError(complaint(call, f"images of shape (n, C, H, W), n >= {_FEWEST}", _shape(images), step))
    weight = next((p for p in net.parameters() if p.is_floating_point()), images)
    if (images.dtype, images.device) != (weight.dtype, weight.device):
        expected, got = f"images of {weight.dtype} on {weight.device}, as the net", f"{images.dtype} on {images.device}"
        raise UsageError(complaint(call, expected, got, "Convert them: images.to(...)."))
    if labels is None:
        if needs & _LABELLED:
            raise UsageError(complaint(call, "labels, which these measures need", None, "Pass them, or other names."))
        return
    if not isinstance(labels, Tensor) or labels.shape != images.shape[:1] or labels.is_floating_point():
        expected = f"integer labels of shape ({len(images)},)"
        raise UsageError(complaint(call, expected, _shape(labels), "One label per image."))
    if labels.min() < 0:
        raise UsageError(complaint(call, "labels >= 0", int(labels.min()), "Count the classes from 0."))


def _shape(value: object) -> str:
    return f"{value.dtype} of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
