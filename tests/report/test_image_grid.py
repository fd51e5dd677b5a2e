"""Images side by side."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from lnas.report.image_grid import draw_images


def test_every_image_is_there_bit_for_bit_with_its_caption() -> None:
    images = np.random.default_rng(0).integers(256, size=(3, 3, 5, 4), dtype=np.uint8)
    svg = draw_images(images, [["a", "x < y"], ["b"], ["c"]], "three", columns=2)
    decoded = [Image.open(io.BytesIO(base64.b64decode(found))) for found in re.findall(r"base64,([^\"]+)", svg)]
    assert np.array_equal(np.stack([np.asarray(image).transpose(2, 0, 1) for image in decoded]), images)
    assert "x &lt; y" in svg
