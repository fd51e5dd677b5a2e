"""How large the architectures are: from a file of scores, or counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lnas.benchmarks import Scores
from lnas.errors import UsageError, complaint
from lnas.pipeline.display import Display
from lnas.types import Arch

COUNTED = "params"
_CLASSES = 10


def sizes_of(
    name: str,
    archs: Sequence[Arch],
    loaded: Mapping[str, Scores],
    net: Callable[[Arch, int], Any],
    display: Display,
) -> np.ndarray:
    """Return the size of each architecture, shape (n,), finite.

    Args:
        name: A column that one of the files has; "params" is counted where none has it.
        archs: The n architectures.
        loaded: The files by label.
        net: Builds the networks that are counted.
        display: Shows how far the counting is.

    Raises:
        UsageError: If there is no such column, or it lacks numbers.
    """
    for label, scores in loaded.items():
        if name in scores.columns:
            own = dict(zip(scores.archs, scores.columns[name].tolist(), strict=True))
            return _read(f"scores.{label}, column {name!r}", own, archs)
    if name != COUNTED:
        step = f"Example: --sizes {COUNTED}, which is counted where no file has it."
        raise UsageError(complaint(f"sizes={name!r}", "a column of one of the files", "none", step))
    return _counted(archs, net, display)


def _read(call: str, sizes: Mapping[Arch, float], archs: Sequence[Arch]) -> np.ndarray:
    found = np.array([sizes.get(arch, np.nan) for arch in archs])
    lacking = int((~np.isfinite(found)).sum())
    if lacking:
        raise UsageError(complaint(call, "a size of each architecture", f"{lacking:,} lack it", "Score them again."))
    return found


def _counted(archs: Sequence[Arch], net: Callable[[Arch, int], Any], display: Display) -> np.ndarray:
    from lnas.proxies.params import params

    sizes = []
    with display.bar("counting parameters", len(archs)) as advance:
        for arch in archs:
            sizes.append(params(net(arch, _CLASSES)))
            advance()
    return np.array(sizes)
