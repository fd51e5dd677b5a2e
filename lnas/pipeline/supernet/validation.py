"""The validation images that paths are evaluated on."""

from __future__ import annotations

from lnas.data import ImageData
from lnas.data.batches import PreparedBatches
from lnas.pipeline.options import check_at_least


def validation_batches(data: ImageData, batch_size: int, batches: int | None) -> PreparedBatches:
    """Return the first batches of the validation split, all if `batches` is None.

    Raises:
        UsageError: If a number is too small.
    """
    check_at_least(batches=(batches, 1), batch_size=(batch_size, 2))
    return PreparedBatches(data.splits["val"], data, batch_size, batches)
