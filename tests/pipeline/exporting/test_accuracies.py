"""What a reloaded network is held to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lnas.data import DigitsData
from lnas.errors import RunError
from lnas.pipeline.exporting.accuracies import accuracy_on_test, require_equal

DATA = DigitsData()


def always_seven(images: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(torch.full((len(images),), 7), 10).float()


def test_accuracy_is_the_share_that_is_right() -> None:
    assert accuracy_on_test(always_seven, DATA) == (DATA.splits["test"].labels == 7).mean()


def test_a_form_with_another_accuracy_is_refused() -> None:
    require_equal("model.onnx", 0.5, 0.5)
    with pytest.raises(
        RunError, match=r"accuracy of model\.onnx after reloading: expected 0\.5, as before, got 0\.498"
    ):
        require_equal("model.onnx", 0.5, 0.498)
