"""One readable function per command."""

from lnas.pipeline.run import run
from lnas.training import Retraining

__all__ = ["Retraining", "run"]
