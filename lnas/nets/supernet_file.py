"""The weights of a supernet in a file, and the region that it was trained for. Imports torch only when it is read."""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.builder import NetBuilder
from lnas.nets.weights_file import WeightsFile
from lnas.types import Region

if TYPE_CHECKING:
    from torch import Tensor

    from lnas.nets.region_net import RegionNet

DEFAULT_SUPERNET = NetBuilder(affine=False, bn_momentum=0.1)
"""The options that `build_supernet` has where none are given."""

SUPERNET = "supernet"
"""The hyper-parameter of a checkpoint that holds the fields of the `NetBuilder` with which its supernet was built."""

DIVISOR = "divisor"
"""The hyper-parameter of a checkpoint that says of how many channels the operations see one, as in PC-DARTS."""

_NET = "net."


class Saved(NamedTuple):
    """What a file says: the region trained, options where they are known, tensors, and `divisor` as of PC-DARTS."""

    region: Region
    builder: NetBuilder | None
    tensors: Mapping[str, Tensor]
    divisor: int = 1


class SupernetFile(WeightsFile):
    """A file of a supernet's weights, known by what it holds.

    Args:
        path: A `.ckpt` file is a checkpoint of a `SupernetModule` as Lightning writes it, which says what region the
            supernet has, and one of `lnas supernet` also the options with which it was built; any other is a state dict
            as of `WeightsFile`, of the supernet of a whole space.
    """

    def load(self, space: str, builder: NetBuilder | None, num_classes: int) -> RegionNet:
        """Build the supernet and give it the weights. Generators of random numbers are left as found.

        Args:
            space: Name of the space that it is to be of.
            builder: The options with which it was built; `auxiliary` and `drop_path` are none of them. None is those
                that the file says, or else `DEFAULT_SUPERNET`.
            num_classes: Outputs.

        Raises:
            UsageError: If the file cannot be read, or holds no supernet of this space, these options and this number of
                classes.
        """
        from lnas.nets.build import build_supernet
        from lnas.nets.partial_channels import with_partial_channels
        from lnas.randomness import isolated_randomness
        from lnas.spaces import SPACES

        if space not in SPACES:
            raise UsageError(f"{self._call}: {unknown_name('space', space, SPACES)}")
        given = builder and supernet_options(builder, self._call)
        saved = self._of_checkpoint() if self._is_checkpoint else Saved(SPACES[space]().region, None, self.tensors())
        if saved.region.space != space:
            step = f"Take architectures of {saved.region.space}, or name another file."
            raise UsageError(complaint(self._call, f"a supernet of {space}", f"one of {saved.region.space}", step))
        options = given or supernet_options(saved.builder or DEFAULT_SUPERNET, self._call)
        with isolated_randomness(0):
            net = build_supernet(saved.region, num_classes, **options)
            if saved.divisor > 1:
                net = with_partial_channels(net, saved.divisor)
        _require_fit(net.state_dict(), saved.tensors, self._call)
        net.load_state_dict(saved.tensors)
        return net

    @property
    def _is_checkpoint(self) -> bool:
        return Path(self.path).suffix == ".ckpt"

    def _of_checkpoint(self) -> Saved:
        import torch

        content = self._unchanged()
        try:
            saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            hyper_parameters = saved["hyper_parameters"]
            options = hyper_parameters.get(SUPERNET)
            return Saved(
                _parsed_region(hyper_parameters["region"]),
                None if options is None else NetBuilder(**options),
                {name.removeprefix(_NET): own for name, own in saved["state_dict"].items() if name.startswith(_NET)},
                hyper_parameters.get(DIVISOR, 1),
            )
        except Exception as error:  # the reader raises errors of many kinds
            expected = "a checkpoint that a SupernetModule's Trainer wrote"
            step = "A state dict of other origin is saved as `.safetensors` or `.pt`."
            raise UsageError(complaint(self._call, expected, type(error).__name__, step)) from error


def _parsed_region(text: str) -> Region:
    """Read what `str(region)` gives.

    Example:
        >>> _parsed_region("tiny:0,1-0-1")
        Region(space='tiny', choices=((0, 1), (0,), (1,)))
    """
    space, _, decisions = text.partition(":")
    return Region(space, tuple(tuple(map(int, allowed.split(","))) for allowed in decisions.split("-")))


def supernet_options(builder: NetBuilder, call: str) -> dict[str, Any]:
    """Return a builder's options as `build_supernet` takes them; raise `UsageError` for one that it has not."""
    from lnas.nets.build import build_supernet

    known = inspect.signature(build_supernet).parameters
    for option in fields(builder):
        value = getattr(builder, option.name)
        if option.name not in known and value != option.default:
            raise UsageError(complaint(call, f"no {option.name!r} for a supernet", value, "Leave it out."))
    return {option.name: getattr(builder, option.name) for option in fields(builder) if option.name in known}


def _require_fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], call: str) -> None:
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
