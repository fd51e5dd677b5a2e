from __future__ import annotations

import torch

from lnas.data.windows import windows_at, windows_by_index


def test_windows_are_cut_alike_by_numpy_and_by_index() -> None:
    images = torch.arange(4 * 2 * 7 * 6).view(4, 2, 7, 6)
    top, left = torch.tensor([0, 4, 2, 1]), torch.tensor([3, 0, 1, 2])
    windows = windows_at(images, top, left, 3, 3)
    assert torch.equal(windows, windows_by_index(images, top, left, 3, 3))
    assert torch.equal(windows[1], images[1, :, 4:7, 0:3])
