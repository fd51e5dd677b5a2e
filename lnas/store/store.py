"""The store: estimates, runs and curves in one database that survives `kill -9`."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from lnas.errors import StoreError, complaint
from lnas.types import Arch, Estimate, Region, candidate_from_json, describe

_SCHEMA = "1"
_METADATA = sa.MetaData()

_META = sa.Table(
    "meta",
    _METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_RUNS = sa.Table(
    "runs",
    _METADATA,
    sa.Column("run", sa.String(128), primary_key=True),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("provenance", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("outcome", sa.Text, nullable=True),
)
_CANDIDATES = sa.Table(
    "candidates",
    _METADATA,
    sa.Column("run", sa.String(128), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("arch", sa.String(512), nullable=False),
)
_PICKS = sa.Table(
    "picks",
    _METADATA,
    sa.Column("run", sa.String(128), primary_key=True),
    sa.Column("role", sa.String(640), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("arch", sa.String(512), nullable=False),
)
_PROTOCOLS = sa.Table(
    "protocols",
    _METADATA,
    sa.Column("protocol", sa.String(16), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
)
_ESTIMATES = sa.Table(
    "estimates",
    _METADATA,
    sa.Column("protocol", sa.String(16), primary_key=True),
    sa.Column("arch", sa.String(512), primary_key=True),
    sa.Column("seed", sa.BigInteger, primary_key=True),
    sa.Column("measure", sa.String(128), primary_key=True),
    sa.Column("value", sa.Double, nullable=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
)
_CURVES = sa.Table(
    "curves",
    _METADATA,
    sa.Column("protocol", sa.String(16), primary_key=True),
    sa.Column("arch", sa.String(512), primary_key=True),
    sa.Column("seed", sa.BigInteger, primary_key=True),
    sa.Column("series", sa.String(128), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("value", sa.Double, nullable=True),
)


class RunRecord(NamedTuple):
    """A run as stored.

    Attributes:
        settings: What decides its numbers.
        provenance: Versions and machine of its first start.
        created: When that was, in UTC.
        outcome: What `finish_run` noted; None while the run is unfinished.
    """

    settings: dict[str, Any]
    provenance: dict[str, Any]
    created: str
    outcome: str | None


class Pick(NamedTuple):
    """An architecture chosen for retraining, and as what."""

    role: str
    arch: Arch


def protocol_key(protocol: object) -> str:
    """Hash a protocol (a frozen dataclass) to 16 hex digits: two protocols that differ anywhere never share numbers."""
    return hashlib.sha256(_dumps(describe(protocol)).encode()).hexdigest()[:16]


class Store:
    """Estimates by (protocol, arch, seed, measure), runs by name. Each call is one transaction.

    One process writes; any number read. Numbers that are not finite are kept as a status without a value.

    Args:
        url: A SQLAlchemy URL, or the path of an SQLite file, made if absent.

    Raises:
        StoreError: From every method, in one line, where the database cannot be read or written.
    """

    def __init__(self, url: str | Path) -> None:
        self._url = str(url)
        try:
            parsed = sa.make_url(self._url) if "://" in self._url else sa.URL.create("sqlite", database=self._url)
            self._url = parsed.render_as_string(hide_password=True)
            self._engine = sa.create_engine(parsed)
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _write_ahead)
        except (sa.exc.ArgumentError, ImportError) as error:
            raise self._unreadable(str(error)) from error
        with self._transaction() as connection:
            if self._engine.dialect.name == "sqlite":
                verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                if verdict != "ok":
                    raise self._unreadable(str(verdict))
            _METADATA.create_all(connection)
            schema = connection.execute(sa.select(_META.c.value).where(_META.c.key == "schema")).scalar()
            if schema is None:
                connection.execute(sa.insert(_META).values(key="schema", value=_SCHEMA))
            elif schema != _SCHEMA:
                raise StoreError(
                    complaint(f"Store({self._url!r})", f"schema {_SCHEMA}", schema, "Use the lnas that wrote it.")
                )

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the database, its password masked."""
        return self._url

    def close(self) -> None:
        """Release the database file."""
        self._engine.dispose()

    def begin_run(self, run: str, settings: Mapping[str, Any], provenance: Mapping[str, Any]) -> RunRecord:
        """Register a run, or return it as it was registered first."""
        with self._transaction() as connection:
            known = self._run(connection, run)
            if known is not None:
                return known
            record = {"settings": _dumps(settings), "provenance": _dumps(provenance), "created": _now()}
            connection.execute(sa.insert(_RUNS).values(run=run, **record))
            return RunRecord(json.loads(record["settings"]), json.loads(record["provenance"]), record["created"], None)

    def finish_run(self, run: str, outcome: str) -> None:
        """Note that a run is complete, with one line about where else its numbers lie."""
        with self._transaction() as connection:
            connection.execute(sa.update(_RUNS).where(_RUNS.c.run == run).values(outcome=outcome))

    def runs(self) -> dict[str, RunRecord]:
        """Return all runs by name, oldest first."""
        with self._transaction() as connection:
            names = connection.execute(sa.select(_RUNS.c.run).order_by(_RUNS.c.created, _RUNS.c.run)).scalars().all()
            records = {name: self._run(connection, name) for name in names}
        return {name: record for name, record in records.items() if record is not None}

    def add_candidate(self, run: str, number: int, candidate: Arch | Region) -> None:
        """Note what a run proposed as its number-th, counted from 0."""
        row = {"run": run, "number": number, "arch": candidate.to_json()}
        with self._transaction() as connection:
            _replace(connection, _CANDIDATES, [row])

    def candidates(self, run: str) -> list[Arch | Region]:
        """Return what a run proposed, in order."""
        query = sa.select(_CANDIDATES.c.arch).where(_CANDIDATES.c.run == run).order_by(_CANDIDATES.c.number)
        with self._transaction() as connection:
            return [candidate_from_json(text) for text in connection.execute(query).scalars()]

    def set_picks(self, run: str, picks: Sequence[Pick]) -> None:
        """Note which architectures a run chose to retrain, in order."""
        rows = [{"run": run, "role": p.role, "number": i, "arch": p.arch.to_json()} for i, p in enumerate(picks)]
        with self._transaction() as connection:
            connection.execute(sa.delete(_PICKS).where(_PICKS.c.run == run))
            if rows:
                connection.execute(sa.insert(_PICKS), rows)

    def picks(self, run: str) -> list[Pick]:
        """Return what `set_picks` noted."""
        query = sa.select(_PICKS.c.role, _PICKS.c.arch).where(_PICKS.c.run == run).order_by(_PICKS.c.number)
        with self._transaction() as connection:
            return [Pick(role, Arch.from_json(arch)) for role, arch in connection.execute(query)]

    def add(self, protocol: object, candidate: Arch | Region, seed: int, estimates: Mapping[str, Estimate]) -> None:
        """Keep estimates that were measured together: all of them or, if interrupted, none."""
        key, now = protocol_key(protocol), _now()
        rows = [
            {
                "protocol": key,
                "arch": candidate.to_json(),
                "seed": int(seed),
                "measure": measure,
                "value": estimate.value if math.isfinite(estimate.value) else None,
                "status": estimate.status,
                "seconds": estimate.seconds,
                "detail": _dumps(estimate.detail),
                "created": now,
            }
            for measure, estimate in estimates.items()
        ]
        with self._transaction() as connection:
            self._keep_protocol(connection, key, protocol)
            _replace(connection, _ESTIMATES, rows)

    def estimates(self, protocol: object, candidate: Arch | Region, seed: int) -> dict[str, Estimate]:
        """Return what is kept for a candidate, by measure; empty where nothing is."""
        query = _kept(protocol, seed).where(_ESTIMATES.c.arch == candidate.to_json())
        with self._transaction() as connection:
            return {row.measure: _estimate(row) for row in connection.execute(query)}

    def all_estimates(self, protocol: object, seed: int) -> dict[Arch, dict[str, Estimate]]:
        """Return what is kept of architectures under a protocol and a seed, by measure, in one query.

        Regions that were measured under the same protocol are left out.
        """
        by_text: dict[str, dict[str, Estimate]] = {}
        with self._transaction() as connection:
            for row in connection.execute(_kept(protocol, seed)):
                by_text.setdefault(row.arch, {})[row.measure] = _estimate(row)
        measured = {candidate_from_json(text): estimates for text, estimates in by_text.items()}
        return {candidate: own for candidate, own in measured.items() if isinstance(candidate, Arch)}

    def add_curve_points(self, protocol: object, arch: Arch, seed: int, step: int, values: Mapping[str, float]) -> None:
        """Keep one step of several curves; a step that is measured again replaces the former."""
        key = protocol_key(protocol)
        rows = [
            {
                "protocol": key,
                "arch": arch.to_json(),
                "seed": int(seed),
                "series": series,
                "step": int(step),
                "value": value if math.isfinite(value) else None,
            }
            for series, value in values.items()
        ]
        with self._transaction() as connection:
            self._keep_protocol(connection, key, protocol)
            _replace(connection, _CURVES, rows)

    def curves(self, protocol: object, arch: Arch, seed: int) -> dict[str, list[tuple[int, float]]]:
        """Return series -> [(step, value), ...] in the order of the steps; a non-finite value is NaN."""
        query = (
            sa.select(_CURVES.c.series, _CURVES.c.step, _CURVES.c.value)
            .where(
                _CURVES.c.protocol == protocol_key(protocol),
                _CURVES.c.arch == arch.to_json(),
                _CURVES.c.seed == int(seed),
            )
            .order_by(_CURVES.c.series, _CURVES.c.step)
        )
        series: dict[str, list[tuple[int, float]]] = {}
        with self._transaction() as connection:
            for name, step, value in connection.execute(query):
                series.setdefault(name, []).append((step, math.nan if value is None else value))
        return series

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise self._unreadable(str(getattr(error, "orig", None) or error)) from error

    def _unreadable(self, reason: str) -> StoreError:
        return StoreError(
            complaint(
                f"Store({self._url!r})",
                "a database that lnas can read and write",
                reason,
                "Check the disk and the permissions, or name another output folder.",
            )
        )

    def _run(self, connection: sa.Connection, run: str) -> RunRecord | None:
        row = connection.execute(sa.select(_RUNS).where(_RUNS.c.run == run)).first()
        if row is None:
            return None
        return RunRecord(json.loads(row.settings), json.loads(row.provenance), row.created, row.outcome)

    def _keep_protocol(self, connection: sa.Connection, key: str, protocol: object) -> None:
        if connection.execute(sa.select(_PROTOCOLS.c.protocol).where(_PROTOCOLS.c.protocol == key)).first() is None:
            connection.execute(sa.insert(_PROTOCOLS).values(protocol=key, text=_dumps(describe(protocol))))


def _write_ahead(connection: Any, _: object) -> None:
    """Let SQLite append to a log: a killed process loses nothing, and a write takes 2 ms where it took 20.

    When the machine itself dies the last rows may be lost; what is left is sound.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _replace(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, replacing those of the same primary key, in the words that every database knows."""
    keys = table.primary_key.columns
    same_key = [column == sa.bindparam(f"of_row_{column.name}") for column in keys]
    if rows:
        of_rows = [{f"of_row_{column.name}": row[column.name] for column in keys} for row in rows]
        connection.execute(sa.delete(table).where(*same_key), of_rows)
        connection.execute(sa.insert(table), list(rows))


def _kept(protocol: object, seed: int) -> sa.Select[Any]:
    """Select all estimates under a protocol and a seed."""
    return sa.select(_ESTIMATES).where(_ESTIMATES.c.protocol == protocol_key(protocol), _ESTIMATES.c.seed == int(seed))


def _estimate(row: sa.Row[Any]) -> Estimate:
    return Estimate(math.nan if row.value is None else row.value, row.status, row.seconds, json.loads(row.detail))


def _dumps(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
