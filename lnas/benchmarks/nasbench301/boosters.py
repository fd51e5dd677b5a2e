"""Gradient-boosted trees of XGBoost and LightGBM, read from their own formats and from inside pickles.

A pickled booster is never unpickled. It holds the library's own format as one text or array of bytes, which is found by
walking over the pickle's instructions without running any.
"""

from __future__ import annotations

import itertools
import pickletools
import re
import struct
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from lnas.benchmarks.plain_files import require_file
from lnas.errors import UsageError, complaint

Library = Literal["xgboost", "lightgbm"]

_INSTALL = {"xgboost": "pip install 'xgboost-cpu<3.1'", "lightgbm": "pip install lightgbm"}
_OLD_FORMAT = b"binf"
_BEGINNINGS: dict[Library, tuple[bytes, ...]] = {"xgboost": (b'{"', _OLD_FORMAT), "lightgbm": (b"tree\n",)}
_FORMATS = {"xgboost": "a model of XGBoost (JSON)", "lightgbm": "a model of LightGBM (text)"}
_PICKLE, _SNAPSHOT, _LENGTH = b"\x80", b"CONFIG-offset:", struct.Struct("<q")
_LITERAL = re.compile("(SHORT_|BIN|LONG)[A-Z]*(UNICODE|BYTES|INT)8?[12]?|LONG[14]|BYTEARRAY8")
_SIZES, _FIRST_TREE, _AFTER_TREES = re.compile(rb"^tree_sizes=([0-9 ]+)$", re.MULTILINE), b"\nTree=0\n", b"end of trees"
_EXPORT = (
    "Where you trust it, load it with the version of {library} that wrote it, and save it beside as `{name}` with "
    "`booster.save_model(...)`."
)
_NAMES = {"xgboost": "surrogate_model.json", "lightgbm": "surrogate_model.txt"}


class Trees(NamedTuple):
    """An ensemble of trees.

    Attributes:
        predict: From features, shape (rows, columns), to one number a row.
        columns: How many features there are.
        used: Columns on which a tree splits.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    columns: int
    used: frozenset[int]


class _Content(NamedTuple):
    """A model in its library's own format, and how many rounds of it count: all if None."""

    model: bytes
    rounds: int | None = None


def read_trees(path: Path, library: Library) -> Trees:
    """Read a model.

    Args:
        path: JSON of XGBoost, text of LightGBM, or a pickle of either's `Booster` as of 2020. A pickle of
            XGBoost 1.2 holds its old binary format, which XGBoost reads up to 3.0. UBJSON is not taken: XGBoost 3.2 may
            end the process on a truncated file.
        library: Whose it is.

    Raises:
        UsageError: If the file is missing, damaged or of another format, or the library is not installed.
    """
    call = require_file(path, _FORMATS[library])
    package = _import(call, library)
    content = _content(call, path.read_bytes(), library)
    return _from_xgboost(call, package, content) if library == "xgboost" else _from_lightgbm(call, package, content)


def _import(call: str, library: Library) -> Any:
    try:
        return import_module(library)
    except (ImportError, OSError) as error:
        expected = f"the package {library!r}, which reads it"
        raise UsageError(complaint(call, expected, str(error), f"Install it: {_INSTALL[library]}.")) from error


def _content(call: str, data: bytes, library: Library) -> _Content:
    if data.startswith(_BEGINNINGS[library]):
        return _Content(data)
    expected = _FORMATS[library]
    if not data.startswith(_PICKLE):
        raise UsageError(complaint(call, expected, data[:16], _export(library)))
    try:
        literals = [value for code, value, _ in pickletools.genops(data) if _LITERAL.fullmatch(code.name)]
    except (ValueError, LookupError, OverflowError) as error:
        raise UsageError(complaint(call, "a whole pickle", str(error), "Fetch it again.")) from error
    for literal in literals:
        model = _without_settings(literal.encode(errors="surrogatepass") if isinstance(literal, str) else literal)
        if isinstance(model, bytes | bytearray) and model.startswith(_BEGINNINGS[library]):
            return _Content(bytes(model), _best_round(literals))
    got = "a pickle without one, of which nothing was run"
    raise UsageError(complaint(call, expected, got, _export(library)))


def _without_settings(literal: Any) -> Any:
    """Return the model within XGBoost's snapshot of model and settings, anything else as it is."""
    if not isinstance(literal, bytes | bytearray) or not literal.startswith(_SNAPSHOT):
        return literal
    start = len(_SNAPSHOT) + _LENGTH.size
    if len(literal) < start:
        return literal
    (length,) = _LENGTH.unpack(literal[len(_SNAPSHOT) : start])
    return literal[start : start + length]


def _best_round(literals: list[Any]) -> int | None:
    """Return at which round LightGBM's training stopped improving: its predictions go so far."""
    for name, value in itertools.pairwise(literals):
        if name == "best_iteration":
            return value if isinstance(value, int) and value > 0 else None
    return None


def _from_xgboost(call: str, package: Any, content: _Content) -> Trees:
    booster = package.Booster()
    try:
        booster.load_model(bytearray(content.model))
    except (package.core.XGBoostError, ValueError, MemoryError) as error:
        expected = f"a whole model that XGBoost {package.__version__} reads"
        got = "its old binary format" if content.model.startswith(_OLD_FORMAT) else str(error).splitlines()[0]
        step = f"Up to 3.0 it reads the old one, too: {_INSTALL['xgboost']}."
        raise UsageError(complaint(call, expected, got, step)) from error
    booster.feature_names = None
    return Trees(
        lambda features: booster.predict(package.DMatrix(features)),
        booster.num_features(),
        frozenset(int(name.removeprefix("f")) for name in booster.get_score()),
    )


def _from_lightgbm(call: str, package: Any, content: _Content) -> Trees:
    _require_whole_text(call, content.model)
    try:
        booster = package.Booster(model_str=content.model.decode())
    except (package.basic.LightGBMError, ValueError) as error:
        raise UsageError(complaint(call, _FORMATS["lightgbm"], str(error), "Fetch it again.")) from error
    return Trees(
        lambda features: booster.predict(features, num_iteration=content.rounds),
        booster.num_feature(),
        frozenset(np.flatnonzero(booster.feature_importance("split")).tolist()),
    )


def _require_whole_text(call: str, model: bytes) -> None:
    """Refuse a text that ends early or has lost a part: LightGBM would end the process."""
    sizes, first = _SIZES.search(model), model.find(_FIRST_TREE)
    end = first + 1 + sum(map(int, sizes[1].split())) if sizes else 0
    if first < 0 or not model[end:].startswith(_AFTER_TREES):
        raise UsageError(complaint(call, "a whole model of LightGBM", "a damaged one", "Fetch it again."))


def _export(library: Library) -> str:
    return _EXPORT.format(library=library, name=_NAMES[library])
