"""A race of real estimators: each number once and under its own protocol, whenever it is killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lnas.analysis.racing import Raced, Racing
from lnas.cli import main
from lnas.errors import RunError, UsageError
from lnas.estimators import Estimator
from lnas.pipeline.display import Display
from lnas.pipeline.racing import check_racing, race_candidates
from lnas.pipeline.tracking import Tracker
from lnas.search import RandomSearch, Strategy
from lnas.store import Store
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

RACING = Racing((2, 4, 8))
DIRECTIONS = {"angle": False, "loss": False, "loss_area": False, "ones": True}
RANK = "angle+loss+ones"
CONFIG = Path(__file__).parents[1] / "e2e" / "tiny.yaml"


@dataclass(frozen=True)
class Steps:
    steps: int
    trivial_cells: str = "kept"


class Stepping(Estimator):
    """Pretends to train: keeps where it got to in a folder, and writes down from where it went to where."""

    def __init__(self, steps: int | None, journal: list[Any], fail: Callable[[Arch, int], bool] | None = None) -> None:
        self.steps = steps
        self.journal = journal
        self.fail = fail
        self.checkpoints: str | None = None
        self.trivial_cells = "kept"

    @property
    def measures(self) -> Mapping[str, bool]:
        return {"angle": False, "loss": False, "loss_area": False}

    @property
    def protocol(self) -> Steps:
        return Steps(self.steps or 0, self.trivial_cells)

    def shortened(self, steps: int, checkpoints: str | None = None) -> Stepping:
        other = Stepping(steps, self.journal, self.fail)
        other.checkpoints = checkpoints
        return other

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        assert self.checkpoints is not None
        file = Path(self.checkpoints) / str(candidate).replace(":", "_")
        begin = int(file.read_text()) if file.is_file() else 0
        self.journal.append((str(candidate), begin, self.steps))
        if self.fail and self.fail(candidate, self.steps or 0):
            return dict.fromkeys(self.measures, Estimate.failure(RuntimeError("my own bug")))
        file.parent.mkdir(exist_ok=True)
        file.write_text(str(self.steps))
        merit = int("".join(map(str, candidate.genes)), 2) + (self.steps or 0) % 3
        return {name: Estimate.of(merit, 1.0, {"steps": self.steps}) for name in self.measures}


class Ones(Estimator):
    def __init__(self, journal: list[Any]) -> None:
        self.journal = journal

    @property
    def measures(self) -> Mapping[str, bool]:
        return {"ones": True}

    @property
    def protocol(self) -> Steps:
        return Steps(-1)

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        self.journal.append((str(candidate), "ones"))
        return {"ones": Estimate.of(sum(candidate.genes))}


class Listed(Strategy):
    """Proposes a list; says of itself, as strategies do unless they say otherwise, that it learns."""

    limit = 8
    settings: Mapping[str, Any] = {}

    def __init__(self, archs: Sequence[Arch]) -> None:
        self._archs = list(archs)

    def ask(self, n: int) -> list[Arch]:
        return self._archs[:n]

    def tell(self, trials: Sequence[Trial]) -> None:
        raise AssertionError("nobody asked for results")


def raced(folder: Path, estimators: Sequence[Estimator], strategy: Strategy | None = None) -> Raced:
    folder.mkdir(exist_ok=True)
    strategy = strategy or RandomSearch(TinySpace(), distinct="arch")
    tracker, display = Tracker(None, print), Display(quiet=True)
    with closing(Store(folder / "store.sqlite")) as store:
        return race_candidates(
            RACING, RANK, DIRECTIONS, folder, strategy, estimators, 8, 0, "run", store, tracker, display
        )


def kept(folder: Path) -> list[Any]:
    with closing(sqlite3.connect(folder / "store.sqlite")) as connection:
        estimates = connection.execute("select protocol, arch, seed, measure, value, status, detail from estimates")
        return [sorted(estimates), sorted(connection.execute("select number, arch from candidates"))]


def test_trainings_go_on_from_the_last_rung_and_the_rest_is_measured_once(tmp_path: Path) -> None:
    journal: list[Any] = []
    outcome = raced(tmp_path, [Stepping(8, journal), Ones(journal)])
    trained = [entry for entry in journal if entry[1] != "ones"]
    assert len(trained) == 8 + 4 + 2
    assert {(begin, end) for _, begin, end in trained} == {(0, 2), (2, 4), (4, 8)}
    assert len([entry for entry in journal if entry[1] == "ones"]) == 8
    assert outcome.trials[int(outcome.ranking.order[0])].arch.genes == (0, 0, 0)
    assert outcome.spent == 8 * 2 + 4 * 2 + 2 * 4
    assert not (tmp_path / "racing").exists()
    with closing(Store(tmp_path / "store.sqlite")) as store:
        assert [len(store.all_estimates(Steps(steps), 0)) for steps in (2, 4, 8)] == [8, 4, 2]
        assert len(store.candidates("run")) == 8


def test_killed_at_any_number_it_ends_as_if_never_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal: list[Any] = []
    raced(tmp_path / "whole", [Stepping(8, journal), Ones(journal)])
    whole = kept(tmp_path / "whole")
    add = Store.add
    for moment in (0, 11, 17, len(journal) - 1):
        left = moment

        def killing(store: Store, *arguments: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            add(store, *arguments)

        again: list[Any] = []
        folder = tmp_path / f"killed {moment}"
        monkeypatch.setattr(Store, "add", killing)
        with pytest.raises(KeyboardInterrupt):
            raced(folder, [Stepping(8, again), Ones(again)])
        monkeypatch.setattr(Store, "add", add)
        raced(folder, [Stepping(8, again), Ones(again)])
        assert kept(folder) == whole
        assert len(again) == len(journal) + 1, "only what was under way is measured again"
        assert not (folder / "racing").exists()


def test_a_second_start_measures_nothing(tmp_path: Path) -> None:
    first = raced(tmp_path, [Stepping(8, []), Ones([])])
    journal: list[Any] = []
    second = raced(tmp_path, [Stepping(8, journal), Ones(journal)])
    assert journal == []
    assert second.ranking.order.tolist() == first.ranking.order.tolist()


def test_what_fails_drops_out_first_is_counted_and_tried_again(tmp_path: Path) -> None:
    def often(arch: Arch, steps: int) -> bool:
        return arch.genes[0] == 0 or arch.genes == (1, 1, 1)

    failing = raced(tmp_path, [Stepping(8, [], often), Ones([])])
    assert failing.ranking.missing == {"angle": 5, "loss": 5, "ones": 0}
    assert sorted(failing.steps.tolist()) == [2] * 5 + [4] * 2 + [8]
    first, last = failing.ranking.order[:3], failing.ranking.order[3:]
    assert all(failing.ranking.complete[first])
    assert not any(failing.ranking.complete[last])
    assert all(failing.steps[last] == 2), "who failed after two steps was trained no further"
    mended = raced(tmp_path, [Stepping(8, []), Ones([])])
    assert mended.ranking.complete.all()


def test_a_strategy_that_learns_is_refused() -> None:
    with pytest.raises(UsageError, match="a strategy that proposes without being told results, got 'Listed'"):
        check_racing(RACING, Listed([]), [Stepping(8, [])])
    check_racing(RACING, RandomSearch(TinySpace()), [Stepping(8, []), Stepping(None, []), Ones([])])


def test_rungs_end_where_the_trainings_do() -> None:
    strategy = RandomSearch(TinySpace())
    with pytest.raises(UsageError, match=r"rungs that end at 9, the steps of the Stepping, got 8\. Change the last"):
        check_racing(RACING, strategy, [Ones([]), Stepping(9, [])])
    with pytest.raises(UsageError, match=r"an estimator that trains step by step, got \['Ones', 'Stepping'\]"):
        check_racing(RACING, strategy, [Ones([]), Stepping(None, [])])


def test_a_rule_about_whole_trainings_is_refused() -> None:
    ruled = Stepping(8, [])
    ruled.trivial_cells = "scored worst"
    with pytest.raises(UsageError, match="a short training that keeps trivial cells, got \"protocol='as_released'\""):
        check_racing(RACING, RandomSearch(TinySpace()), [ruled])


def test_a_rank_of_the_rungs_names_known_measures() -> None:
    with pytest.raises(UsageError, match=r"racing\.rank='angle\+lost': unknown measure 'lost'. Did you mean 'loss'"):
        check_racing(replace(RACING, rank="angle+lost"), RandomSearch(TinySpace()), [Stepping(8, [])])


def test_proposals_are_those_of_an_earlier_start_and_each_once(tmp_path: Path) -> None:
    raced(tmp_path, [Stepping(8, []), Ones([])])
    with pytest.raises(RunError, match=r"candidate 0: expected tiny:.*which an earlier start was given"):
        raced(tmp_path, [Stepping(8, []), Ones([])], RandomSearch(TinySpace(), seed=1, distinct="arch"))
    twice = Listed([Arch("tiny", (0, 0, 1))] * 8)
    with pytest.raises(UsageError, match="no architecture twice, got 'tiny:0-0-1'"):
        raced(tmp_path / "other", [Stepping(8, []), Ones([])], twice)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--racing.rungs [5,2]", "racing.rungs=[5, 2]: expected two or more numbers of steps, ascending"),
        ("--racing.rungs [2,6]", "racing.rungs=[2, 6]: expected rungs that end at 5, the steps of the Short"),
        ("--racing.rungs [2,5] --racing.keep 1", "racing.keep=1.0: expected 0 < keep < 1, got 1.0"),
    ],
)
def test_wrong_options_are_said_in_a_line(
    options: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    arguments = ["run", "--config", str(CONFIG), "--retraining", "null", "--output", str(output)]
    assert main([*arguments, *options.split()]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"lnas: {line}")
    assert printed.count("\n") == 1
    assert not output.exists()


def test_a_run_races_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The numbers of whom went all the way are those of a run without racing."""
    arguments = ["run", "--config", str(CONFIG), "--candidates", "4", "--retraining", "null"]
    assert main([*arguments, "--output", str(tmp_path / "race"), "--racing.rungs", "[2,3,5]"]) == 0
    printed = capsys.readouterr().out
    said = "A race: 4 candidates trained for 2 steps, 2 for 3, 1 for 5; 12 of 20 steps in all (60.0 %)."
    assert f"{said} Until the last, angle+loss+params decided who goes on." in printed
    page = (tmp_path / "race" / "report.html").read_text()
    assert said in page
    assert "<th>steps</th>" in page
    assert "Place in the race" not in page  # nothing was retrained or compared
    assert "angle after its last step" in page
    assert not list(tmp_path.rglob("*.ckpt"))
    assert main([*arguments, "--output", str(tmp_path / "full"), "--quiet"]) == 0
    full, race = kept(tmp_path / "full")[0], kept(tmp_path / "race")[0]
    shared = [row for row in race if row in full and row[3] in ("angle", "loss")]
    assert len(shared) == 2
    assert "A race" not in (tmp_path / "full" / "report.html").read_text()
