"""Groups of a module's parameters, by a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from torch import nn
from torch.nn.parameter import is_lazy

from lnas.errors import UsageError, complaint, unknown_name

Biases = Literal["excluded", "included"]

_COMPILED = "_orig_mod."

_WITHOUT_WEIGHTS = {
    "classifier": "It has no linear layer that is trained: name a prefix of parameter names.",
    "features": "Nothing is trained but the last linear layer.",
}


def grouped_parameters(module: nn.Module, group: str, biases: Biases, call: str) -> dict[str, nn.Parameter]:
    """Return the parameters of a group by name, each once, in the order of registration.

    Args:
        module: Whose parameters.
        group: As for `AngleCallback`.
        biases: Whether parameters that are called a bias belong to it.
        call: What errors begin with.

    Raises:
        UsageError: If the group is unknown or has no weights, or the module has no parameters.
    """
    named = named_parameters(module)
    if not named:
        raise UsageError(complaint(call, "a module with parameters", type(module).__name__, "It has nothing to turn."))
    if lazy := [name for name, weight in named.items() if is_lazy(weight)]:
        raise UsageError(complaint(call, "weights of known shapes", lazy[0], "Call the net on a batch first."))
    if group == "classifier":
        members = _of_classifier(module, named)
    elif group == "features":
        members = _of_features(module, named)
    else:
        members = _under(canonical(group), named)
        if not members:
            known = {"classifier", "features", *named, *_prefixes(named)}
            raise UsageError(f"{call}: {unknown_name('group of weights', group, known)}")
    chosen = _once({name: weight for name, weight in members.items() if biases == "included" or not _is_bias(name)})
    if not chosen:
        advice = _WITHOUT_WEIGHTS.get(group, "biases='included' counts biases.")
        raise UsageError(complaint(call, "a group with weights", sorted(members), advice))
    return chosen


def named_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return all parameters under all of their names, as they are without `torch.compile`."""
    return {canonical(name): weight for name, weight in module.named_parameters(remove_duplicate=False)}


def canonical(name: str) -> str:
    """Return a parameter's name, or a prefix of one, as it is without `torch.compile`.

    Example:
        >>> canonical("net._orig_mod.classifier.weight")
        'net.classifier.weight'
    """
    return name.replace(_COMPILED, "")


def _of_classifier(module: nn.Module, named: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    linears = [part for part in module.modules() if isinstance(part, nn.Linear) and part.weight.requires_grad]
    own = {id(weight) for part in linears[-1:] for weight in part.parameters()}
    return {name: weight for name, weight in named.items() if id(weight) in own}


def _of_features(module: nn.Module, named: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    of_classifier = {id(weight) for weight in _of_classifier(module, named).values()}
    return {
        name: weight
        for name, weight in named.items()
        if id(weight) not in of_classifier and weight.requires_grad and (weight.ndim > 1 or _is_bias(name))
    }


def _under(prefix: str, named: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    start = f"{prefix.removesuffix('.')}." if prefix else ""
    return {name: weight for name, weight in named.items() if f"{name}.".startswith(start)}


def _is_bias(name: str) -> bool:
    # `in_proj_bias` of attention and `bias_hh_l0` of recurrent layers are biases, too.
    return "bias" in (leaf := name.rsplit(".", 1)[-1]).split("_")[:1] + leaf.split("_")[-1:]


def _once(named: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    first: dict[int, str] = {}
    for name, weight in named.items():
        first.setdefault(id(weight), name)
    return {name: named[name] for name in first.values()}


def _prefixes(names: Mapping[str, nn.Parameter]) -> Iterator[str]:
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:depth]) for depth in range(1, len(parts)))
