"""Configs that ship with lnas, by name."""

from __future__ import annotations

from pathlib import Path

import lnas
from lnas.errors import UsageError, complaint, unknown_name

_PACKAGE = Path(lnas.__file__).parent
_SUFFIX = ".yaml"


def find_config(name: str, folder: str, package: Path = _PACKAGE) -> Path:
    """Return a config file: one of the user's, or a shipped one by its name.

    Args:
        name: A path that ends in .yaml, or the name of a shipped config without its ending.
        folder: Which of the shipped configs: a folder of `configs/`.
        package: Where lnas is. An installed one carries its configs inside, a checkout beside it.

    Raises:
        UsageError: If there is no such file or name.
    """
    if name.endswith((_SUFFIX, ".yml")):
        if not Path(name).is_file():
            step = f"Shipped: {', '.join(_shipped(folder, package))}."
            raise UsageError(complaint(f"config {name!r}", "a YAML file", "no such file", step))
        return Path(name)
    shipped = _shipped(folder, package)
    if name not in shipped:
        raise UsageError(unknown_name(folder, name, shipped))
    return shipped[name]


def _shipped(folder: str, package: Path) -> dict[str, Path]:
    places = (package / "configs" / folder, package.parent / "configs" / folder)
    found = {file.stem: file for place in reversed(places) for file in place.glob(f"*{_SUFFIX}")}
    return dict(sorted(found.items()))
