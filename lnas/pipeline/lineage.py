"""From the search to the trained network, as W&B draws it: which artifact came from which run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lnas.pipeline.tracking import Tracker
from lnas.spaces import SearchSpace
from lnas.types import Arch

_KEPT = ("model.json", "weights.safetensors", "predictions.parquet")
_LONGEST = 128  # of an artifact's name


def track_found(tracker: Tracker, space: SearchSpace, arch: Arch) -> None:
    """Log an architecture as what the run came to."""
    tracker.artifact(_name("cell", arch), "architecture", _cell(space, arch), {"arch": space.format(arch)})


def track_origin(tracker: Tracker, space: SearchSpace, arch: Arch) -> None:
    """Log an architecture as what the run began with: the artifact of whichever run found it, since they are equal."""
    tracker.builds_on(_name("cell", arch), "architecture", _cell(space, arch), {"arch": space.format(arch)})


def track_trained(tracker: Tracker, arch: Arch, folder: Path, facts: Mapping[str, Any]) -> None:
    """Log a training's weights, with what rebuilds their network."""
    files: dict[str, bytes | Path] = {name: folder / name for name in _KEPT if (folder / name).is_file()}
    tracker.artifact(_name("net", arch), "model", files, {"arch": str(arch), **facts})


def _cell(space: SearchSpace, arch: Arch) -> dict[str, bytes | Path]:
    """Return the same bytes for the same architecture, whoever asks."""
    content = {"arch": space.format(arch), "genes": list(arch.genes), "space": arch.space}
    return {"cell.json": json.dumps(content, indent=2).encode(), "cell.svg": space.draw(arch).encode()}


def _name(kind: str, arch: Arch) -> str:
    return f"{kind}-{str(arch).replace(':', '_')}"[:_LONGEST]
