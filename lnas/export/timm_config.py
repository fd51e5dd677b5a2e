"""The file by which timm makes a model of a folder: `timm.create_model("local-dir:FOLDER", pretrained=True)`."""

from __future__ import annotations

import json
from dataclasses import asdict

from lnas.export.timm_model import CLASSIFIER, NAME
from lnas.nets.trained_file import TrainedNet

CONFIG = "config.json"


def timm_config(trained: TrainedNet, num_features: int) -> bytes:
    """Return the content of `config.json` beside `model.safetensors`.

    Args:
        trained: Of a network of lnas.
        num_features: What its classifier takes.

    Raises:
        UsageError: If the network was built by a factory of the user's own.
    """
    task = trained.task
    pretrained = {
        "num_classes": task.num_classes,
        "input_size": task.input_size,
        "fixed_input_size": False,
        "interpolation": "bilinear",
        "crop_pct": 1.0,
        "mean": task.mean,
        "std": task.std,
        "classifier": CLASSIFIER,
    }
    config = {
        "architecture": NAME,
        "num_classes": task.num_classes,
        "num_features": num_features,
        "pretrained_cfg": pretrained,
        "model_args": {"arch": str(trained.arch), **asdict(trained.builder())},
    }
    if task.classes is not None:
        config["label_names"] = task.classes
    return json.dumps(config, indent=2, ensure_ascii=False).encode()
