"""Networks with the weights of a trained supernet, as a factory for estimators. Imports torch only when called."""

from __future__ import annotations

import copy
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnas.errors import UsageError, complaint
from lnas.nets.builder import NetBuilder
from lnas.nets.supernet_file import SupernetFile
from lnas.types import Arch

if TYPE_CHECKING:
    from lnas.nets.region_net import RegionNet


@dataclass(frozen=True)
class SubnetsOf:
    """The stand-alone net of an architecture with its part of a supernet's weights: a `net:` as `NetBuilder` is one.

    The file is loaded once for each process. Each call returns a copy of the weights, so that whoever trains or draws
    them anew changes neither the supernet nor the nets of other architectures, and no net of sliced weights takes the
    whole supernet along. Generators of random numbers are left as found.

    Protocols hold the hash of the file's content and the supernet's options, not the path.

    Args:
        weights: The supernet: a `.ckpt` file as a `SupernetModule`'s Trainer writes it, of any region, or a state dict
            of the supernet of the whole space that the architectures are of: a `.safetensors` file, or what
            `torch.save` wrote. Kept as float32, as networks are built.
        supernet: The options with which that supernet was built; `auxiliary` and `drop_path` are none of them. None is
            those that a checkpoint of `lnas supernet` holds, and else those of the published supernet.

    Raises:
        UsageError: When called, if the file cannot be read, its tensors do not fit the supernet of these options, this
            space and this number of classes, or the architecture is outside the supernet's region.
    """

    weights: InitVar[str | Path]
    supernet: NetBuilder | None = None
    file: SupernetFile = field(init=False)

    def __post_init__(self, weights: str | Path) -> None:
        object.__setattr__(self, "file", SupernetFile(weights))

    def __call__(self, arch: Arch, num_classes: int) -> Any:
        """Make the network of an architecture, an `nn.Module` in train mode."""
        if not isinstance(arch, Arch):
            call = "SubnetsOf(...)(arch)"
            raise UsageError(complaint(call, "an Arch", arch, "A space's `parse` reads the notation."))
        key = arch.space, num_classes
        if key not in self._loaded:
            self._loaded[key] = self.file.load(arch.space, self.supernet, num_classes)
        return copy.deepcopy(self._loaded[key].subnet(arch))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    @cached_property
    def _loaded(self) -> dict[tuple[str, int], RegionNet]:
        return {}
