"""`score_architectures` with estimators that cost nothing: what it asks, keeps, shares and says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lnas.benchmarks import load_benchmark, load_scores
from lnas.data import DigitsData
from lnas.errors import RunError, UsageError
from lnas.estimators import Estimator
from lnas.pipeline.scoring.score import Scored, score_architectures
from lnas.pipeline.truth import Truth
from lnas.seeds import derive_seed
from lnas.spaces import NatsSizeSpace, NatsTopologySpace
from lnas.store import Store
from lnas.testing.tiny import TinySpace
from lnas.types import Arch, Estimate

NATS = NatsTopologySpace()
KEY = "digits-1.0/digits/test@8/mean"
TWINS = [Arch("nats_topology", genes) for genes in ((0, 0, 0, 3, 0, 0), (3, 0, 0, 3, 0, 0), (0, 0, 2, 3, 0, 0))]


@dataclass(frozen=True)
class FakeProtocol:
    names: tuple[str, ...]


class Fake(Estimator):
    """Numbers derived from names; remembers whom it was asked about, and shares that memory with its halves."""

    def __init__(self, names: Sequence[str], bad: Mapping[str, float | Exception] | None = None) -> None:
        self.names = tuple(names)
        self.bad = bad or {}
        self.asked: list[tuple[tuple[str, ...], Arch]] = []

    @property
    def measures(self) -> Mapping[str, bool]:
        return {name: not name.startswith("cost") for name in self.names}

    @property
    def protocol(self) -> FakeProtocol:
        return FakeProtocol(self.names)

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        self.asked.append((self.names, candidate))
        return {name: self._one(name, candidate, seed) for name in self.names}

    def _one(self, name: str, arch: Arch, seed: int) -> Estimate:
        bad = self.bad.get(name) if arch.genes[0] == 0 else None
        if isinstance(bad, UsageError):
            raise bad
        if isinstance(bad, Exception):
            return Estimate.failure(bad)
        return Estimate.of(bad if bad is not None else float(derive_seed(seed, name, arch)), 0.5)


class Halved(Fake):
    """One whose measures differ in whom they are of."""

    @property
    def measured_per(self) -> Mapping[str, str]:
        return {name: "computational" if name.startswith("shared") else "architecture" for name in self.names}


class Divisible(Halved):
    def only(self, names: Sequence[str]) -> Divisible:
        half = Divisible(names, self.bad)
        half.asked = self.asked
        return half


def score(output: Path, *estimators: Fake, **options: Any) -> Scored:
    factories = [lambda net, data, one=one: one for one in estimators]
    options = {"space": TinySpace(), "quiet": True} | options
    return score_architectures(DigitsData(), estimators=factories, output=str(output), **options)  # type: ignore[arg-type]


def listed(folder: Path, archs: Sequence[Arch]) -> str:
    (folder / "cells.txt").write_text("\n".join(map(str, archs)))
    return str(folder / "cells.txt")


def test_every_architecture_has_every_number_in_both_tables(tmp_path: Path) -> None:
    scored = score(tmp_path, Fake(["a", "b"]), Fake(["cost"]), seed=3)
    assert scored.scores.names == ("a", "b", "cost")
    assert list(scored.scores.archs) == list(TinySpace().classes())
    assert scored.scores.notations[1] == "001"
    for file in ("scores.parquet", "scores.csv"):
        read = load_scores(tmp_path / file)
        assert read.archs == scored.scores.archs
        for name in read.names:
            expected = [derive_seed(3, name, arch) for arch in read.archs]
            assert read.columns[name].tolist() == scored.scores.columns[name].tolist() == expected
    assert [(each.name, each.ok, each.nonfinite, each.failed) for each in scored.summaries] == [
        ("a", 8, 0, 0),
        ("b", 8, 0, 0),
        ("cost", 8, 0, 0),
    ]
    assert {each.seconds for each in scored.summaries} == {0.5}


def test_started_again_it_asks_only_for_what_failed_or_is_new(tmp_path: Path) -> None:
    some = listed(tmp_path, list(TinySpace().classes())[2:6])
    first = Fake(["a", "b"], {"b": OSError("disk")})
    score(tmp_path, first, Fake(["c"]), archs=some)
    assert len(first.asked) == 4
    again, other = Fake(["a", "b"], {"b": math.inf}), Fake(["c"])
    scored = score(tmp_path, again, other)
    failed = [arch for _, arch in first.asked if arch.genes[0] == 0]
    new = [arch for arch in TinySpace().classes() if arch not in [asked for _, asked in first.asked]]
    assert sorted(arch for _, arch in again.asked) == sorted(failed + new)
    assert sorted(arch for _, arch in other.asked) == new
    last = Fake(["a", "b"])
    assert repr(score(tmp_path, last, Fake(["c"]))) == repr(scored)
    assert last.asked == [], "what is not finite is a result"


def test_a_number_is_kept_the_moment_it_exists(tmp_path: Path) -> None:
    class Interrupted(Fake):
        def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
            if len(self.asked) == 5:
                raise KeyboardInterrupt
            return super().estimate(candidate, seed=seed)

    with pytest.raises(KeyboardInterrupt):
        score(tmp_path, Interrupted(["a"]))
    store = Store(tmp_path / "store.sqlite")
    assert len(store.all_estimates(FakeProtocol(("a",)), 0)) == 5
    store.close()
    rest = Fake(["a"])
    score(tmp_path, rest)
    assert len(rest.asked) == 3


def test_what_is_no_number_is_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = {"a": ValueError("too small"), "b": math.nan}
    scored = score(tmp_path, Fake(["a", "b", "c"], bad), quiet=False)
    assert [(each.ok, each.nonfinite, each.failed) for each in scored.summaries] == [(4, 0, 4), (4, 4, 0), (8, 0, 0)]
    assert scored.scores.problems == ("a failed, b nonfinite",) * 4 + ("",) * 4
    assert np.isnan(scored.scores.columns["a"][:4]).all()
    printed = capsys.readouterr().out
    assert "4 of 8 architectures have no a; the first failed: ValueError: too small" in printed
    assert "4 of 8 architectures have no b; the first nonfinite: nan" in printed


def test_nothing_but_failures_is_an_error(tmp_path: Path) -> None:
    only = listed(tmp_path, [Arch("tiny", (0, 1, 1))])
    with pytest.raises(RunError, match=r"a number, got 'none of 1'.*a of tiny:0-1-1 failed: ValueError: no"):
        score(tmp_path, Fake(["a"], {"a": ValueError("no")}), archs=only)


def test_an_estimator_that_cannot_serve_ends_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such image"):
        score(tmp_path, Fake(["a"], {"a": UsageError("no such image")}))


def test_a_measure_left_out_is_an_error(tmp_path: Path) -> None:
    class Silent(Fake):
        def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
            return {}

    with pytest.raises(UsageError, match=r"Silent\.estimate: expected \['a'\].*Fill every measure"):
        score(tmp_path, Silent(["a"]))


def test_a_class_of_twins_is_measured_once(tmp_path: Path) -> None:
    cells = listed(tmp_path, TWINS)
    fake = Divisible(["own", "shared one", "shared two"])
    scored = score(tmp_path, fake, space=NATS, archs=cells)
    representative = NATS.canonical(TWINS[1], "computational")
    assert {NATS.canonical(arch, "computational") for arch in TWINS} == {representative}
    own = [(("own",), arch) for arch in TWINS]
    assert sorted(fake.asked) == sorted([*own, (("shared one", "shared two"), representative)])
    assert scored.scores.names == ("own", "shared one", "shared two")
    assert scored.scores.columns["shared one"].tolist() == [derive_seed(0, "shared one", representative)] * 3
    assert scored.scores.columns["own"].tolist() == [derive_seed(0, "own", arch) for arch in TWINS]


@pytest.mark.parametrize(("kind", "options"), [(Divisible, {"once_per": "architecture"}), (Halved, {}), (Fake, {})])
def test_otherwise_each_architecture_is_measured(kind: type[Fake], options: Any, tmp_path: Path) -> None:
    fake = kind(["own", "shared"])
    scored = score(tmp_path, fake, space=NATS, archs=listed(tmp_path, TWINS), **options)
    assert sorted(fake.asked) == sorted((("own", "shared"), arch) for arch in TWINS)
    assert scored.scores.columns["shared"].tolist() == [derive_seed(0, "shared", arch) for arch in TWINS]


def test_other_spaces_have_no_such_classes(tmp_path: Path) -> None:
    fake = Divisible(["own", "shared"])
    score(tmp_path, fake)
    assert len(fake.asked) == 8


def test_beside_a_benchmark_it_correlates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark = load_benchmark("digits")
    archs = [*list(benchmark.archs())[:30], Arch("nats_topology", (4, 4, 4, 4, 4, 4))]  # type: ignore[attr-defined]
    truth = Truth("digits", KEY)
    true = dict(zip(archs, truth.accuracies(archs, NATS), strict=True))

    class Oracle(Fake):
        def _one(self, name: str, arch: Arch, seed: int) -> Estimate:
            accuracy = true[arch]
            if name == "cost of one":
                return Estimate(1.0)
            return Estimate.of(math.nan if accuracy is None or accuracy < 80 else -accuracy)

    names = ["cost", "merit", "cost of one"]
    scored = score(tmp_path, Oracle(names), space=NATS, archs=listed(tmp_path, archs), truth=truth, quiet=False)
    known = sum(accuracy is not None and accuracy >= 80 for accuracy in true.values())
    cost, merit, constant = (each.agreement for each in scored.summaries)
    assert cost is not None
    assert merit is not None
    assert constant is not None
    assert cost.compared == merit.compared == known < constant.compared
    assert [cost.kendall.value, *cost.kendall.interval] == pytest.approx([1, 1, 1])
    assert merit.spearman.value == pytest.approx(-1)
    printed = " ".join(capsys.readouterr().out.split())
    assert "+1.000 [+1.000, +1.000]" in printed
    assert "undefined" in printed
    assert f"Correlations with {KEY}" in printed


def test_it_says_where_things_are_and_what_it_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(tmp_path, Fake(["a"]), quiet=False)
    printed = capsys.readouterr().out
    for words in ("measurements: 8/8", "8 architectures of tiny", "scores.parquet", "s since this start", "MB here"):
        assert words in printed
    score(tmp_path, Fake(["a"]))
    assert capsys.readouterr().out == ""


def test_it_uses_as_many_threads_as_asked_and_then_as_before(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    class Threaded(Fake):
        def _one(self, name: str, arch: Arch, seed: int) -> Estimate:
            seen.append(torch.get_num_threads())
            return Estimate(1.0)

    score(tmp_path, Threaded(["a"]), threads=before + 1)
    assert set(seen) == {before + 1}
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 1}, "seed was 0, is 1"),
        ({"once_per": "architecture"}, "once_per was 'class', is 'architecture'"),
        ({"space": NATS, "archs": 1}, "TinySpace"),
    ],
)
def test_other_settings_are_refused(options: Any, message: str, tmp_path: Path) -> None:
    score(tmp_path, Fake(["a"]))
    with pytest.raises(UsageError, match=message):
        score(tmp_path, Fake(["a"]), **options)
    with pytest.raises(UsageError, match=r"estimators\.0\.names\.0 was 'a', is 'b'"):
        score(tmp_path, Fake(["b"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"processes": 0}, "processes >= 1, got 0"),
        ({"threads": 0}, "threads >= 1, got 0"),
        ({"seed": -1}, "seed >= 0, got -1"),
        ({"seed": 2**31}, "seed < 2\\*\\*31, got 2147483648"),
        ({"output": ""}, "--output"),
        ({"archs": 9}, "1 <= archs <= 8"),
        ({"measures": "params"}, "either measures or estimators, got 'both'"),
        ({"estimators": None}, "either measures or estimators, got 'neither'"),
        ({"estimators": None, "measures": "params,sinp"}, "unknown measure 'sinp'. Did you mean 'snip'"),
        ({"truth": Truth("digits", KEY), "space": NatsSizeSpace()}, "expected a benchmark of 'nats_size'"),
    ],
)
def test_wrong_calls_are_refused_before_anything_is_written(options: Any, message: str, tmp_path: Path) -> None:
    arguments = {"estimators": [lambda net, data: Fake(["a"])], "space": TinySpace(), "output": str(tmp_path / "new")}
    with pytest.raises(UsageError, match=message):
        score_architectures(DigitsData(), **(arguments | options))
    assert not (tmp_path / "new").exists()


def test_a_measure_from_two_estimators_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="each measure from one estimator, got 'b'"):
        score(tmp_path / "new", Fake(["a", "b"]), Fake(["b"]))
