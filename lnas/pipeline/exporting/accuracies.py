"""What a reloaded network reaches on the images that it is to be judged by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lnas.data import ImageData
from lnas.errors import RunError, UsageError, complaint
from lnas.nets.trained_file import ImageTask, TrainedNet

if TYPE_CHECKING:
    from torch import Tensor

_BATCH = 256
_ROUNDING = 1e-3


def require_same_task(task: ImageTask, data: ImageData) -> None:
    """Raise `UsageError` unless images are such as a network was trained on: classes, size and normalisation."""
    _, *size = data.splits["test"].images.shape
    facts = {
        "classes": (task.num_classes, data.num_classes),
        "image size": (task.input_size, tuple(size)),
        "mean": (task.mean, tuple(data.mean)),
        "std": (task.std, tuple(data.std)),
    }
    for name, (trained, given) in facts.items():
        if trained != given:
            expected = f"{name} {trained}, as in training on {task.name}"
            raise UsageError(complaint(f"data={type(data).__name__}", expected, given, "Take that data."))


def accuracy_on_test(forward: Callable[[Tensor], Tensor], data: ImageData) -> float:
    """Measure the share of test images that are classified rightly."""
    import torch

    from lnas.data.batches import PreparedBatches

    split = data.splits["test"]
    with torch.no_grad():
        right = sum(
            int((forward(images).argmax(1) == labels).sum()) for images, labels in PreparedBatches(split, data, _BATCH)
        )
    return right / len(split)


def require_equal(form: str, before: float, after: float) -> None:
    """Raise `RunError` if a form has another accuracy than the network it was made of."""
    if before != after:
        step = "Do not use this form, and report the architecture."
        raise RunError(complaint(f"accuracy of {form} after reloading", f"{before}, as before", after, step))


def require_recorded(trained: TrainedNet, data: ImageData, measured: float) -> str:
    """Compare with what the training recorded, and say in a line how that went.

    Images within a thousandth, and a single one, may fall otherwise: another machine rounds otherwise.

    Raises:
        RunError: If the same images are classified otherwise than that.
    """
    recorded, facts = trained.metrics.get("test_acc"), trained.task.splits.get("test")
    split = data.splits["test"]
    if recorded is None or facts is None:
        return "the training recorded no test accuracy"
    if facts.fingerprint != split.fingerprint():
        return f"other test images than the training's, which recorded {100 * recorded:.2f} %"
    if abs(recorded - measured) > max(_ROUNDING, 1.5 / len(split)):
        call, step = f"weights of {trained.notation}", "They are not those that were measured: train anew."
        raise RunError(complaint(call, f"test accuracy {recorded}, as recorded", measured, step))
    return f"the training recorded {100 * recorded:.2f} %"
