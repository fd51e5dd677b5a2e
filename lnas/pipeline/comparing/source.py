"""What the two arguments of `lnas compare` name: a folder, a store or a file of scores, all of it or one protocol."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lnas.errors import UsageError, complaint
from lnas.pipeline.comparing.stored import StoredProtocol, is_store, stored_protocols
from lnas.store import RunRecord, Store

_STORE = "store.sqlite"
_SCORES = "scores.parquet"
_TRIALS = "trials.parquet"
_STEP = "Name a folder that `lnas score | run | search | supernet | retrain | study` wrote, or a file of scores."


@dataclass(frozen=True)
class Source:
    """One of the two results.

    Attributes:
        given: As it was named.
        folder: Where it lies.
        scores: Its file of scores, if it has one and no protocol was chosen.
        trials: Its file of a search's evaluations, likewise.
        store: Its store, if it has one.
        key: How the key of the protocol begins that was chosen, if one was.
        command: Which wrote the store, such as "score"; empty where there is none.
        record: The run of that command as stored.
        protocols: Those of the store by key, or the one that was chosen.
        config: The config that lies beside it; empty where there is none.
    """

    given: str
    folder: Path
    scores: Path | None = None
    trials: Path | None = None
    store: Path | None = None
    key: str = ""
    command: str = ""
    record: RunRecord | None = None
    protocols: dict[str, StoredProtocol] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


def open_source(call: str, given: str) -> Source:
    """Find what there is.

    Args:
        call: Whom errors blame.
        given: A path; of a store or its folder, PATH@KEY is the numbers of the one protocol whose key begins so.

    Raises:
        UsageError: If there is nothing of lnas, or not one such protocol.
        StoreError: If the store cannot be read.
    """
    path, key = _split(given)
    if path.is_dir():
        scores, store, folder = path / _SCORES, path / _STORE, path
    elif path.is_file() and is_store(path):
        scores, store, folder = path.with_name(_SCORES), path, path.parent
    else:
        scores, store, folder = path, path.with_name(_STORE), path.parent
        if not path.is_file():
            raise UsageError(complaint(f"{call}={given!r}", "a result of lnas", "nothing there", _STEP))
        if path.stem != Path(_SCORES).stem:
            return Source(given, folder, scores=path)  # anybody's file: what lies beside it need not be about it
    has_store = store.is_file() and is_store(store)
    if not has_store and not scores.is_file():
        raise UsageError(complaint(f"{call}={given!r}", "a result of lnas", "a folder without one", _STEP))
    command, record = _run(store) if has_store else ("", None)
    protocols = stored_protocols(store) if has_store else {}
    trials = folder / _TRIALS
    return Source(
        given,
        folder,
        scores if scores.is_file() and not key else None,
        trials if trials.is_file() and not key else None,
        store if has_store else None,
        key,
        command,
        record,
        _chosen(f"{call}={given!r}", key, protocols) if key else protocols,
        _config(folder / "config.yaml"),
    )


def _split(given: str) -> tuple[Path, str]:
    """Divide PATH@KEY, unless there is a file of that whole name."""
    path, sign, key = given.rpartition("@")
    return (Path(path), key) if sign and not Path(given).exists() else (Path(given), "")


def _chosen(call: str, key: str, protocols: dict[str, StoredProtocol]) -> dict[str, StoredProtocol]:
    found = {each: protocol for each, protocol in protocols.items() if each.startswith(key)}
    if len(found) != 1:
        expected = f"one protocol whose key begins with {key}, of {listed(protocols)}"
        raise UsageError(complaint(call, expected, f"{len(found)} such", "Name one, as PATH@KEY."))
    return found


def listed(protocols: dict[str, StoredProtocol]) -> str:
    """Name protocols with their measures, for people."""
    return "; ".join(f"{key} ({', '.join(each.measures)})" for key, each in protocols.items()) or "none"


def _run(store: Path) -> tuple[str, RunRecord | None]:
    """Return the first run of a store."""
    with closing(Store(store)) as opened:
        return next(iter(opened.runs().items()), ("", None))


def _config(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text()) if file.is_file() else None
    except (OSError, ValueError, yaml.YAMLError):
        return {}  # its numbers can be compared all the same
    return content if isinstance(content, dict) else {}
