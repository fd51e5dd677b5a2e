"""Networks with the weights of a trained supernet, as a factory for estimators. Imports torch only when called."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.builder import NetBuilder
from lnas.nets.weights_file import WeightsFile
from lnas.types import Arch

if TYPE_CHECKING:
    from torch import Tensor

    from lnas.nets.region_net import RegionNet

DEFAULT_SUPERNET = NetBuilder(affine=False, bn_momentum=0.1)
"""The options that `build_supernet` has where none are given."""


@dataclass(frozen=True)
class SubnetsOf:
    """The stand-alone net of an architecture with its part of a supernet's weights: a `net:` as `NetBuilder` is one.

    The file is loaded once for each process. Each call returns a copy of the weights, so that whoever trains or draws
    them anew changes neither the supernet nor the nets of other architectures, and no net of sliced weights takes the
    whole supernet along. Generators of random numbers are left as found.

    Protocols hold the hash of the file's content and the supernet's options, not the path.

    Args:
        weights: State dict of a supernet of the whole space that the architectures are of: a `.safetensors` file, or
            what `torch.save` wrote. Kept as float32, as networks are built.
        supernet: The options with which that supernet was built; `auxiliary` and `drop_path` are none of them.

    Raises:
        UsageError: When called, if the file cannot be read, or its tensors do not fit the supernet of these options,
            this space and this number of classes.
    """

    weights: InitVar[str | Path]
    supernet: NetBuilder = DEFAULT_SUPERNET
    file: WeightsFile = field(init=False)

    def __post_init__(self, weights: str | Path) -> None:
        object.__setattr__(self, "file", WeightsFile(weights))

    def __call__(self, arch: Arch, num_classes: int) -> Any:
        """Make the network of an architecture, an `nn.Module` in train mode."""
        if not isinstance(arch, Arch):
            call = "SubnetsOf(...)(arch)"
            raise UsageError(complaint(call, "an Arch", arch, "A space's `parse` reads the notation."))
        key = arch.space, num_classes
        if key not in self._loaded:
            self._loaded[key] = self._load(*key)
        return copy.deepcopy(self._loaded[key].subnet(arch))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    @cached_property
    def _loaded(self) -> dict[tuple[str, int], RegionNet]:
        return {}

    def _load(self, space: str, num_classes: int) -> RegionNet:
        from lnas.nets.build import build_supernet
        from lnas.nets.randomness import isolated_randomness
        from lnas.spaces import SPACES

        call = f"SubnetsOf({str(self.file.path)!r})"
        if space not in SPACES:
            raise UsageError(f"{call}: {unknown_name('space', space, SPACES)}")
        tensors = self.file.tensors()
        with isolated_randomness(0):
            supernet = build_supernet(SPACES[space](), num_classes, **supernet_options(self.supernet, call))
        require_fit(supernet.state_dict(), tensors, call)
        supernet.load_state_dict(tensors)
        return supernet


def supernet_options(builder: NetBuilder, call: str) -> dict[str, Any]:
    """Return a builder's options as `build_supernet` takes them; raise `UsageError` for one that it has not."""
    from lnas.nets.build import build_supernet

    known = inspect.signature(build_supernet).parameters
    for option in fields(builder):
        value = getattr(builder, option.name)
        if option.name not in known and value != option.default:
            raise UsageError(complaint(call, f"no {option.name!r} for a supernet", value, "Leave it out."))
    return {option.name: getattr(builder, option.name) for option in fields(builder) if option.name in known}


def require_fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], call: str) -> None:
    """Raise `UsageError` unless tensors have the names and shapes of a supernet's."""
    wanted, got = ({name: tuple(tensor.shape) for name, tensor in part.items()} for part in (expected, found))
    wrong = [name for name in wanted | got if wanted.get(name) != got.get(name)]
    if not wrong:
        return
    classes, name = "classifier.bias", wrong[0]
    if classes in wrong and classes in got:
        expected_classes = f"num_classes={got[classes][0]}, which the file has"
        raise UsageError(complaint(call, expected_classes, wanted[classes][0], "Take the data it was trained on."))
    shape = f"a tensor {name!r} of shape {wanted[name]}" if name in wanted else f"no tensor {name!r}"
    next_step = f"{len(wrong)} do not fit: give `supernet` the options of the one saved, and archs of its space."
    raise UsageError(complaint(call, shape, got.get(name), next_step))
