"""The rule by which the code released with ST-NAS keeps its search from collapsing onto cells that learn nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

WORST_ANGLE = math.pi / 2
"""What a trivial cell is given: the released score is the cosine, of which 0 is the worst it expects."""
WORST_LOSS = 100.0

_UNTURNED = 0.95


def is_trivial(net: nn.Module, cosine: float) -> bool:
    """Tell whether a trained network counts as trivial: a classifier hardly turned, or cells without weights.

    Args:
        net: The network; cells are known by their operations, and a network without such is never without weights.
        cosine: Of the angle that its classifier turned by.

    Source: the code released with Yang et al., "Revisiting Training-free NAS Metrics": cosine >= 0.95, or no weights.
    """
    return cosine >= _UNTURNED or _has_weightless_cells(net)


def _has_weightless_cells(net: nn.Module) -> bool:
    from lnas.nets.choice import OperationChoice

    choices = [module for module in net.modules() if isinstance(module, OperationChoice)]
    return bool(choices) and not any(True for choice in choices for _ in choice.parameters())
