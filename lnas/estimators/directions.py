"""Which way each measure that lnas takes is better."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lnas.proxies import PROXIES

OF_SHORT_TRAINING: Mapping[str, bool] = {
    "angle": False,
    "angle_feat": True,
    "loss": False,
    "loss_area": False,
    "loss_tail": False,
}
"""Measures of a short training -> whether higher is better."""
OF_TRUNCATED_TRAINING = re.compile(r"(?:train|val)_acc@([1-9]\d*)")
"""Names of accuracies after so many epochs: higher is better."""
LATENCY = "latency"
OF_ONE_SHOT: Mapping[str, bool] = {"oneshot_acc": True, "oneshot_loss": False}
"""Measures of a path through a trained supernet -> whether higher is better."""
OF_ENSEMBLES: Mapping[str, bool] = {"ensemble_acc": True, "ensemble_loss": False}
"""The same under the mean of the last weights."""


def known_direction(measure: str) -> bool | None:
    """Tell whether higher is better; None if lnas takes no such measure.

    Example:
        >>> known_direction("angle"), known_direction("val_acc@12"), known_direction("mine")
        (False, True, None)
    """
    if measure in PROXIES:
        return PROXIES[measure].higher_is_better
    if OF_TRUNCATED_TRAINING.fullmatch(measure):
        return True
    return {**OF_SHORT_TRAINING, **OF_ONE_SHOT, **OF_ENSEMBLES, LATENCY: False}.get(measure)
