"""Whether a reloaded network says the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lnas.errors import RunError
from lnas.export.agreement import TOLERANCE, largest_difference, sample_images
from lnas.nets.trained_file import ImageTask

TASK = ImageTask("mine", 2, (3, 6, 9), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
NET = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 9, 2)).eval()


def off_by(amount: float, of_batches: int) -> nn.Module:
    class Off(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return NET(images) + amount * (len(images) == of_batches)

    return Off()


@pytest.mark.parametrize("size", [1, 2, 8])
def test_a_difference_at_one_size_of_batch_is_found(size: int) -> None:
    images = sample_images(TASK)
    found = largest_difference("model.onnx", NET, off_by(0.5 * TOLERANCE, size), images)
    assert found == pytest.approx(0.5 * TOLERANCE, rel=0.01)
    for amount in (2 * TOLERANCE, float("nan")):
        with pytest.raises(
            RunError, match=r"model\.onnx of the network: expected logits within 0\.0001, got (0\.0002|0\.00019\d*|nan)"
        ):
            largest_difference("model.onnx", NET, off_by(amount, size), images)


def test_samples_have_the_size_and_the_range_of_normalised_photographs() -> None:
    state = torch.get_rng_state()
    images = sample_images(TASK, 5)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(images, sample_images(TASK, 5))
    assert images.shape == (5, 3, 6, 9)
    pixels = images * torch.tensor(TASK.std).view(1, 3, 1, 1) + torch.tensor(TASK.mean).view(1, 3, 1, 1)
    assert -1e-6 <= pixels.min() < 0.1
    assert 0.9 < pixels.max() <= 1 + 1e-6
