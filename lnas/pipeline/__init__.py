"""One readable function per command."""

from lnas.pipeline.retraining import Retraining
from lnas.pipeline.run import run

__all__ = ["Retraining", "run"]
