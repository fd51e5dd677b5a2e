"""What a training's test pass said of each image: as a file, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lnas.data import ImageData
from lnas.pipeline.parquet import columns_parquet
from lnas.pipeline.tracking import Tracker
from lnas.report.confusion import draw_confusion
from lnas.report.image_grid import draw_images
from lnas.spaces.drawing import Svg
from lnas.store import write_whole

_FILE = "predictions.parquet"
_SHOWN = 24
_COLUMNS = 6
_LONGEST = 14


class Predictions(NamedTuple):
    """Of each test image, in the order of the split.

    Attributes:
        labels: What it is, int64 (n,).
        predicted: What the network says, int64 (n,).
        confidence: The probability that the network gives what it says, float32 (n,).
    """

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Which images are taken for what they are: bool (n,)."""
        return self.labels == self.predicted

    @property
    def mistakes(self) -> np.ndarray:
        """Rows of the images that are taken for something else, the most confident first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Keep them beside the weights."""
    write_whole(folder / _FILE, columns_parquet(predictions._asdict()))


def read_predictions(folder: Path) -> Predictions | None:
    """Return what was kept; None where nothing was."""
    import pyarrow.parquet as pq

    if not (folder / _FILE).is_file():
        return None
    table = pq.read_table(folder / _FILE)
    return Predictions(*(table[name].to_numpy() for name in Predictions._fields))


def class_names(data: ImageData) -> Sequence[str]:
    """Return the names that a data set gives its classes, else their numbers."""
    return getattr(data, "classes", None) or [str(number) for number in range(data.num_classes)]


def confusion(predictions: Predictions, names: Sequence[str]) -> np.ndarray:
    """Count, for each class (row), what its images are taken for (column): shape (k, k)."""
    classes = len(names)
    pairs = predictions.labels * classes + predictions.predicted
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def prediction_figures(label: str, predictions: Predictions, data: ImageData) -> dict[str, Svg]:
    """Draw the confusion matrix, and the mistakes that were made with the most confidence.

    Args:
        label: Ends the captions, which files are named by.
        predictions: Of the test images.
        data: Where they are from.
    """
    names = class_names(data)
    title = f"confusion{label}"
    drawn = {title: draw_confusion(confusion(predictions, names), names, title)}
    rows = predictions.mistakes[:_SHOWN]
    if len(rows):
        images = np.asarray(data.splits["test"].images[rows])
        title = f"mistakes{label}"
        drawn[title] = draw_images(images, [_caption(predictions, names, row) for row in rows], title, _COLUMNS)
    return drawn


def track_predictions(tracker: Tracker, group: str, predictions: Predictions, data: ImageData) -> None:
    """Log the confusion matrix, and the mistakes that were made with the most confidence."""
    import wandb

    names, rows = class_names(data), predictions.mistakes[:_SHOWN]
    labels, predicted = predictions.labels.tolist(), predictions.predicted.tolist()
    tracker.chart(
        f"{group}/confusion",
        lambda: wandb.plot.confusion_matrix(y_true=labels, preds=predicted, class_names=list(names), title=group),
    )
    images = np.asarray(data.splits["test"].images[rows]).transpose(0, 2, 3, 1)
    captions = [" ".join(_caption(predictions, names, row)) for row in rows]
    tracker.chart(
        f"{group}/mistakes",
        lambda: [wandb.Image(image, caption=caption) for image, caption in zip(images, captions, strict=True)],
    )


def _caption(predictions: Predictions, names: Sequence[str], row: int) -> list[str]:
    is_, taken = (names[column[row]][:_LONGEST] for column in (predictions.labels, predictions.predicted))
    return [is_, f"→ {taken}", f"{100 * predictions.confidence[row]:.0f} % sure"]
