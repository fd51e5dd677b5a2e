"""A benchmark that is a table: every number of every architecture in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Benchmark, Card, unknown_key
from lnas.benchmarks.grouping import group_means
from lnas.benchmarks.rows import Rows, RowsByGenes
from lnas.errors import UsageError, complaint, unknown_name
from lnas.spaces import SearchSpace
from lnas.types import Arch

Quantity = Literal["accuracy", "loss"]
Columns = Mapping[AccuracyKey, np.ndarray]
Curves = Mapping[tuple[AccuracyKey, Quantity], np.ndarray]


class Column(NamedTuple):
    """One key's numbers for the whole table; read-only views, so taking them costs nothing.

    Attributes:
        genes: Integers, shape (rows, genes): row k is `Arch(space, genes[k])`.
        accuracy: Percent, shape (rows,); NaN where an architecture was not trained with the key's seed.
        seconds: As `TabularBenchmark.cost`, shape (rows,); None where no time was recorded.
    """

    genes: np.ndarray
    accuracy: np.ndarray
    seconds: np.ndarray | None


class TabularBenchmark(Benchmark):
    """Accuracies, costs and curves of every row of a table.

    Args:
        card: Where the numbers come from.
        space: What the architectures are of.
        genes: Integers, shape (rows, genes).
        accuracies: Percent by key, each of shape (rows,). NaN marks a seed that was not run; a mean is never NaN.
        seconds: Cost by key, each of shape (rows,). NaN marks what was not recorded.
        curves: By key and quantity, each of shape (rows, epochs): after each epoch of the key's training.
        counts: Whole numbers by name, each of shape (rows,): parameters, multiply-accumulates.
        rows: Finds rows; by genes if not given.

    Raises:
        UsageError: If lengths differ, a gene is not of the space, an architecture stands twice, a mean is NaN, an
            accuracy no percentage, a cost no time or a count no whole number.
    """

    def __init__(
        self,
        card: Card,
        space: SearchSpace,
        genes: np.ndarray,
        accuracies: Columns,
        seconds: Columns | None = None,
        curves: Curves | None = None,
        counts: Mapping[str, np.ndarray] | None = None,
        rows: Rows | None = None,
    ) -> None:
        self.card = card
        self.space = space
        self._genes = _read_only(genes)
        self._accuracies = {key: _read_only(values) for key, values in accuracies.items()}
        self.seconds = {key: _read_only(values) for key, values in (seconds or {}).items()}
        self.curves = {key: _read_only(values) for key, values in (curves or {}).items()}
        self.counts = {name: _read_only(values) for name, values in (counts or {}).items()}
        self._check()
        self._rows = RowsByGenes(genes) if rows is None else rows

    def __len__(self) -> int:
        return len(self._genes)

    def archs(self) -> Iterator[Arch]:
        """Yield the architecture of every row, in order."""
        name = self.space.name
        return (Arch(name, tuple(row)) for row in self._genes.tolist())

    def keys(self) -> tuple[AccuracyKey, ...]:
        return tuple(self._accuracies)

    def table(self, key: AccuracyKey) -> Column:
        """Return a key's numbers for every row.

        Raises:
            UsageError: If there is no such key.
        """
        return Column(self._genes, self._column(key), self.seconds.get(key))

    def query(self, arch: Arch, key: AccuracyKey) -> float:
        value = float(self._column(key)[self.row(arch)])
        if value != value:
            raise self._not_run(arch, key)
        return value

    def cost(self, arch: Arch, key: AccuracyKey) -> float:
        self._column(key)
        if key not in self.seconds:
            raise unknown_key(self.card.name, key, tuple(self.seconds), having="recorded time")
        value = float(self.seconds[key][self.row(arch)])
        if value != value:
            raise self._not_recorded(arch, key, "time")
        return value

    def curve(self, arch: Arch, key: AccuracyKey, quantity: Quantity) -> np.ndarray:
        """Return a learning curve: percent or cross-entropy on the key's split after each epoch, shape (epochs,).

        Raises:
            UsageError: If there is none, or it is not known for this architecture.
        """
        if (key, quantity) not in self.curves:
            if quantity not in get_args(Quantity):
                raise UsageError(unknown_name("quantity", str(quantity), get_args(Quantity)))
            known = [other for other, kind in self.curves if kind == quantity]
            raise unknown_key(self.card.name, key, known, having=f"{quantity} curve")
        values = self.curves[key, quantity][self.row(arch)]
        if np.isnan(values).all():
            raise self._not_recorded(arch, key, "curve")
        return values

    def row(self, arch: Arch) -> int:
        """Return the row that holds an architecture.

        Raises:
            UsageError: If the space has no such architecture, or the table does not hold it.
        """
        row = self._rows.find(arch) if isinstance(arch, Arch) and arch.space == self.space.name else None
        if row is None:
            self.space.validate(arch)
            expected = f"one of its {len(self):,} architectures"
            raise UsageError(
                complaint(f"benchmark {self.card.name!r}", expected, str(arch), "The table does not hold this one.")
            )
        return row

    def averaged_over_twins(self, canonical: Callable[[Arch], Arch] | None = None) -> TabularBenchmark:
        """Return the table in which twins share the mean of their accuracies ("post-deiso").

        Costs and curves stay each architecture's own. Seeds that were not run are left out of a mean.

        Args:
            canonical: Turns an architecture into the representative of its class; the space's if not given.

        Source: Ning et al., "Evaluating Efficient Performance Estimators of Neural Architectures" (NeurIPS 2021),
            Sec. 6.2.
        """
        of_class = canonical or self.space.canonical
        numbers: dict[Arch, int] = {}
        member_of = np.array([numbers.setdefault(of_class(arch), len(numbers)) for arch in self.archs()])
        return TabularBenchmark(
            replace(self.card, what=f"{self.card.what} Twins share the mean of their accuracies."),
            self.space,
            self._genes,
            {key: group_means(values, member_of, len(numbers))[member_of] for key, values in self._accuracies.items()},
            self.seconds,
            self.curves,
            self.counts,
            self._rows,
        )

    def _column(self, key: AccuracyKey) -> np.ndarray:
        values = self._accuracies.get(key)
        if values is None:
            raise unknown_key(self.card.name, key, self.keys())
        return values

    def _not_run(self, arch: Arch, key: AccuracyKey) -> UsageError:
        row = self.row(arch)
        alike = [
            str(other.seed)
            for other, values in self._accuracies.items()
            if other.with_seed(key.seed) == key and values[row] == values[row]
        ]
        call = f"benchmark {self.card.name!r}, {arch}, {key}"
        if not alike:
            step = "Others were: see `table(key).accuracy`."
            return UsageError(complaint(call, "an architecture that was trained so", "one that was not", step))
        return UsageError(complaint(call, f"a seed it was trained with: {', '.join(alike)}", key.seed, "Name another."))

    def _not_recorded(self, arch: Arch, key: AccuracyKey, what: str) -> UsageError:
        """Word the error for a training that was run, unless it is that one that is missing."""
        self.query(arch, key)
        call = f"benchmark {self.card.name!r}, {arch}, {key}"
        return UsageError(complaint(call, f"a recorded {what}", "none", "Other architectures have one."))

    def _check(self) -> None:
        call = f"benchmark {self.card.name!r}"
        self._check_genes(call)
        self._check_shapes(call)
        for key, values in self._accuracies.items():
            missing = np.isnan(values)
            if key.seed == MEAN and missing.any():
                where = f"NaN in row {int(missing.argmax())}"
                raise UsageError(complaint(f"{call}, {key}", "a number in each mean", where, "The file is damaged."))
            _require_within(f"{call}, {key}", "an accuracy in percent", values, 100)
        for (key, quantity), values in self.curves.items():
            if quantity == "accuracy":
                _require_within(f"{call}, curve of {key}", "an accuracy in percent", values, 100)
        for key, values in self.seconds.items():
            _require_within(f"{call}, {key}", "a time in seconds", values, np.finfo(np.float64).max)
        for name, values in self.counts.items():
            if values.dtype.kind not in "iu" or values.min() < 0:
                got = f"{values.dtype}, {values.min()} and more"
                raise UsageError(complaint(f"{call}, {name}", "whole numbers from 0", got, "The file is damaged."))

    def _check_genes(self, call: str) -> None:
        choices = self.space.region.choices
        if self._genes.ndim != 2 or self._genes.shape[1] != len(choices) or not len(self._genes):
            expected = f"rows of {len(choices)} genes of {self.space.name!r}, at least one"
            raise UsageError(complaint(call, expected, self._genes.shape, "Is it a table of another space?"))
        if self._genes.dtype.kind not in "iu":
            raise UsageError(complaint(call, "whole numbers as genes", str(self._genes.dtype), "The file is damaged."))
        for k, allowed in enumerate(choices):
            wrong = ~np.isin(self._genes[:, k], allowed)
            if wrong.any():
                expected = f"gene {k} ({self.space.gene_names()[k]}) in {allowed[0]}..{allowed[-1]}"
                got = f"{self._genes[wrong.argmax(), k]} in row {int(wrong.argmax())}"
                raise UsageError(complaint(call, expected, got, "Is it a table of another space?"))

    def _check_shapes(self, call: str) -> None:
        if not self._accuracies:
            raise UsageError(complaint(call, "accuracies under at least one key", "none", "What is to be queried?"))
        flat = [*self._accuracies.items(), *self.seconds.items(), *self.counts.items()]
        wanted: list[tuple[str, np.ndarray, tuple[int, ...]]] = [(str(name), v, (len(self),)) for name, v in flat]
        wanted += [(f"{kind} curve {key}", v, (len(self), key.epochs)) for (key, kind), v in self.curves.items()]
        for name, values, shape in wanted:
            if values.shape != shape:
                raise UsageError(complaint(f"{call}, {name}", f"shape {shape}", values.shape, "The file is damaged."))


def _read_only(values: np.ndarray) -> np.ndarray:
    view = values.view()
    view.flags.writeable = False
    return view


def _require_within(call: str, expected: str, values: np.ndarray, most: float) -> None:
    """Refuse numbers outside 0..most; NaN is none."""
    outside = (values < 0) | (values > most)
    if outside.any():
        first = tuple(np.argwhere(outside)[0])
        raise UsageError(complaint(call, expected, float(values[first]), f"It stands in row {first[0]}."))
