"""What all ways of training a supernet have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import lightning.pytorch as pl

from lnas.errors import UsageError, complaint
from lnas.nets.region_net import RegionNet

REGION = "region"
"""The hyper-parameter of a checkpoint that holds the region of its supernet."""


class WeightSharingModule(pl.LightningModule, ABC):
    """A LightningModule that trains the weights of a supernet; its first arguments are the supernet and a seed.

    Attributes:
        net: The supernet.
    """

    net: RegionNet

    @abstractmethod
    def configure_optimizers(self) -> Any:
        """Make the optimizers of the weights, and of whatever else is trained."""

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Raise `UsageError` where the checkpoint is of the supernet of another region."""
        saved = checkpoint.get(self.CHECKPOINT_HYPER_PARAMS_KEY, {}).get(REGION)
        if saved != str(self.net.region):
            call, expected = f"{type(self).__name__}(...)", f"a checkpoint of a supernet of {self.net.region}"
            raise UsageError(complaint(call, expected, saved, "Build the supernet that was saved."))
