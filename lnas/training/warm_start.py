"""Begin a training with the weights of another one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.nets.builder import NetBuilder
from lnas.nets.region_net import RegionNet
from lnas.nets.trained_file import TrainedNet, require_fit


def warm_started(net: nn.Module, trained: TrainedNet) -> nn.Module:
    """Give a new network trained weights and batch norm statistics, to be trained on: all of it.

    Where the number of classes differs, the classifiers keep their initial weights: the last layer, and that of the
    auxiliary one.

    Args:
        net: Of the same architecture and size; changed in place.
        trained: Where the weights come from. An auxiliary classifier that only one of both has is left out, or as it
            was.

    Returns:
        The same network.

    Raises:
        UsageError: If it is of another architecture, or has other channels or cells, or weights cannot be read.
    """
    call = f"warm_started(net, {trained.notation}{_size(trained)})"
    if isinstance(net, RegionNet) and trained.arch not in net.region:
        raise UsageError(complaint(call, f"weights of {net.region}", str(trained.arch), "Name another folder."))
    own, tensors = net.state_dict(), trained.tensors()
    left = _of_other_classes(own, tensors) | _of_one_auxiliary(own, tensors)
    require_fit(_without(own, left), _without(tensors, left), call)
    net.load_state_dict({**own, **_without(tensors, left)})
    return net


def _size(trained: TrainedNet) -> str:
    net = trained.net
    return f", channels={net.channels}, cells={net.cells}" if isinstance(net, NetBuilder) else ""


def _of_other_classes(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> set[str]:
    """Return the names of a classifier's tensors that have another number of outputs."""
    return {
        name
        for name in own.keys() & tensors.keys()
        if _is_of_classifier(name) and own[name].shape[:1] != tensors[name].shape[:1]
    }


def _of_one_auxiliary(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> set[str]:
    """Return the names of an auxiliary classifier that one of both has."""
    return {name for name in own.keys() ^ tensors.keys() if name.startswith("auxiliary.")}


def _is_of_classifier(name: str) -> bool:
    return name.partition(".")[0] in ("classifier", "auxiliary")


def _without(tensors: Mapping[str, Tensor], names: set[str]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if name not in names}
