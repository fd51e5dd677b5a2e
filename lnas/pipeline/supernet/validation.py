"""The validation images that paths are evaluated on."""

from __future__ import annotations

from lnas.data import ImageData
from lnas.data.batches import PreparedBatches
from lnas.errors import UsageError, complaint
from lnas.pipeline.options import check_at_least


def validation_batches(data: ImageData, batch_size: int, batches: int | None) -> PreparedBatches:
    """Return the first batches of the validation split, all if `batches` is None.

    Raises:
        UsageError: If a number is too small, or the last batch would be a single image.
    """
    check_at_least(batches=(batches, 1), batch_size=(batch_size, 2))
    images = len(data.splits["val"])
    if images % batch_size == 1 and (batches is None or batches * batch_size > images):
        step = "Choose another size, or fewer batches: one image has no statistics."
        expected = f"a size that leaves no single one of the {images:,} validation images over"
        raise UsageError(complaint(f"batch_size={batch_size}", expected, batch_size, step))
    return PreparedBatches(data.splits["val"], data, batch_size, batches)
