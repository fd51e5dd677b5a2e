"""`lnas search`: the files it writes, what it refuses, and how it branches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lnas.cli import main
from lnas.errors import RunError, UsageError
from lnas.estimators import RecordedAccuracy
from lnas.pipeline.search.judge import Judge
from lnas.pipeline.search.search import search
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.search import PruningSearch, RandomSearch, RegularizedEvolution, Reinforce
from lnas.spaces import NatsSizeSpace, NatsTopologySpace

KEY = "digits-1.0/digits/test@8/mean"
TRUTH = Truth("digits", KEY)
RECORDED = partial(RecordedAccuracy, benchmark="digits", key=KEY, measure="acc")
EVOLUTION = partial(RegularizedEvolution, population=4, sample=2)


def searched(output: Path, **options: Any) -> StudyReport:
    options = {"rank": "acc", "estimators": [RECORDED], "evaluations": 6, "quiet": True, "wandb": "off"} | options
    return search(output=str(output), **options)


def read(folder: Path, name: str) -> dict[str, list[Any]]:
    return pq.read_table(folder / f"{name}.parquet").to_pydict()


def by(*fakes: Any) -> list[Any]:
    return [lambda net, data, one=one: one for one in fakes]


def test_tables_figures_records_and_page_are_written(tmp_path: Path) -> None:
    strategies = {"random": RandomSearch, "evolution": EVOLUTION, "policy": partial(Reinforce, protocol="nats_bench")}
    judges = {"test": Judge("acc", [RECORDED], {"accuracy": TRUTH}), "same": Judge("acc", [RECORDED])}
    options = {"rank": "", "estimators": None, "strategies": strategies, "judges": judges}
    report = searched(tmp_path, repeats=3, after=[5], evaluations=30, seed=2, **options)
    assert [table.name for table in report.tables] == ["found", "differences"]
    for name in ("found", "differences"):
        rows = pq.read_table(tmp_path / f"{name}.parquet").num_rows
        assert len((tmp_path / f"{name}.csv").read_text().splitlines()) == 1 + rows
        assert (tmp_path / f"{name}.md").read_text().startswith("## ")
    found = read(tmp_path, "found")
    assert found["judge"] == ["test"] * 6 + ["same"] * 6
    assert found["strategy"] == ["random", "random", "evolution", "evolution", "policy", "policy"] * 2
    assert found["evaluations"] == [5, 30] * 6
    assert found["searches"] == [3] * 12
    trials, answers = read(tmp_path, "trials"), read(tmp_path, "answers")
    assert len(trials["candidate"]) == 2 * 3 * 3 * 30
    assert set(trials["seed"]) == {2, 3, 4}
    best = dict.fromkeys(zip(trials["judge"], trials["strategy"], trials["seed"], strict=True), 0.0)
    for *key, value in zip(trials["judge"], trials["strategy"], trials["seed"], trials["acc"], strict=True):
        best[tuple(key)] = max(best[tuple(key)], value or 0.0)  # the benchmark holds a tenth of the space
    known = {
        tuple(key): accuracy
        for *key, accuracy in zip(
            answers["judge"], answers["strategy"], answers["seed"], answers["accuracy"], strict=True
        )
    }
    for key, accuracy in known.items():
        assert accuracy == (pytest.approx(best[key]) if key[0] == "test" else None)
    own = [best["test", "random", seed] for seed in (2, 3, 4)]
    assert found["accuracy"][1] == pytest.approx(sum(own) / 3)
    assert f"{KEY} against evaluations" in report.figures
    assert {"entropy", "proposals of policy by same"} <= report.figures.keys()
    page = (tmp_path / "search.html").read_text()
    assert "<script" not in page
    for caption, figure in report.figures.items():
        assert (tmp_path / f"{re.sub('[/ ]+', '-', caption)}.svg").read_text() == figure
        assert figure in page
    assert report.facts["Searches"] == "18 with 540 evaluations, seeds 2 to 4"


def test_started_again_it_says_the_same_and_with_more_it_measures_more(tmp_path: Path, fake: Any) -> None:
    def asked(**options: Any) -> tuple[StudyReport, int]:
        own = fake({"value": True})
        report = searched(tmp_path, strategy=EVOLUTION, rank="value", estimators=by(own), truth=TRUTH, **options)
        return report, len(own.asked)

    (first, count), (again, none) = asked(), asked()
    assert (repr(again), none) == (repr(first), 0)
    assert 0 < count <= 6
    more, lacking = asked(repeats=2, evaluations=8)
    assert 0 < lacking <= 10
    assert read(tmp_path, "found")["searches"] == [2]
    assert more.facts["Searches"].startswith("2 with 16 evaluations")


def test_killed_it_goes_on(tmp_path: Path, fake: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path, strategy=EVOLUTION, rank="value", estimators=by(fake({"value": True}, calls=3)))
    assert not (tmp_path / "search.html").exists()
    rest = fake({"value": True})
    searched(tmp_path, strategy=EVOLUTION, rank="value", estimators=by(rest))
    whole = fake({"value": True})
    searched(tmp_path / "whole", strategy=EVOLUTION, rank="value", estimators=by(whole))
    assert len(rest.asked) == len(whole.asked) - 3
    for name in ("trials", "answers"):
        assert read(tmp_path, name) == read(tmp_path / "whole", name)


def test_a_pruning_search_says_what_it_pruned(tmp_path: Path, fake: Any) -> None:
    options = {"strategy": PruningSearch, "rank": "value", "estimators": by(fake({"value": True})), "truth": TRUTH}
    report = searched(tmp_path, evaluations=None, **options)
    assert [table.name for table in report.tables] == ["found", "pruned"]
    pruned = read(tmp_path, "pruned")
    assert len(pruned["decision"]) == 6
    lost = zip(pruned["round_1"], pruned["round_2"], pruned["round_3"], strict=True)
    assert all(len({*names} - {"", "none"}) == 3 for names in lost)
    assert read(tmp_path, "found")["evaluations"] == [54]
    assert len(report.sections["Found by PruningSearch by value"]) == 1


def test_nothing_but_failures_is_a_page_too(tmp_path: Path, fake: Any) -> None:
    class Broken(fake):  # type: ignore[misc]
        def estimate(self, candidate: Any, *, seed: int) -> Any:
            raise ValueError("my own bug")

    report = searched(tmp_path, rank="value", estimators=by(Broken({"value": True})), truth=TRUTH)
    assert "Evaluations without a number: RandomSearch by value 6." in report.tables[0].notes
    assert read(tmp_path, "found")["accuracy"] == [None]
    assert read(tmp_path, "answers")["answer"] == []


def test_a_judge_may_have_its_own_seconds(tmp_path: Path) -> None:
    judges = {"one": Judge("acc", [RECORDED], seconds=60), "two": Judge("acc", [RECORDED], seconds=200)}
    options = {"rank": "", "estimators": None, "judges": judges, "evaluations": None}
    searched(tmp_path / "counts", **options)
    one, two = read(tmp_path / "counts", "found")["seconds"]
    assert one >= 60
    assert two >= 200
    searched(tmp_path / "lost", crossing="is lost", **options)
    assert read(tmp_path / "lost", "found")["seconds"][0] <= 60
    message = r"judge 'one': expected one budget, got '60 seconds and Evaluations\(count=6\)'"
    with pytest.raises(UsageError, match=message):
        searched(tmp_path, **options | {"evaluations": 6})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": ""}, r"lnas search: expected either rank or judges, got 'neither'"),
        ({"judges": {"a": Judge("acc", [RECORDED])}}, r"expected either rank or judges, got 'both'"),
        (
            {"rank": "", "judges": {"a": Judge("acc", [RECORDED])}},
            r"lnas search: expected no estimators or truth beside judges, got 'both'",
        ),
        ({"rank": "", "estimators": None, "judges": {}}, r"got 'neither'"),
        ({"seconds": 10}, r"evaluations=6, seconds=10: expected one budget, got 'two'"),
        ({"evaluations": None}, r"expected a budget, since it is never over"),
        ({"evaluations": 0}, r"expected count >= 1, got 0"),
        ({"evaluations": 15_626, "strategy": partial(RandomSearch, distinct="arch")}, r"expected at most 15625"),
        ({"strategy": RegularizedEvolution}, r"evaluations=6: expected at least 101"),
        ({"evaluations": None, "seconds": -1}, r"expected finite seconds > 0, got -1"),
        ({"repeats": 0}, r"repeats=0"),
        ({"processes": 0}, r"processes=0"),
        ({"threads": 0}, r"threads=0"),
        ({"after": [0]}, r"after=0"),
        ({"seed": -1}, r"seed=-1"),
        ({"seed": (1 << 31) - 2, "repeats": 3}, r"seed=2147483648"),
        ({"output": ""}, r"output=''"),
        ({"rank": "ac"}, r"rank 'ac' of judge 'ac': unknown measure 'ac'\. Did you mean 'acc'"),
        ({"rank": "relu_logdet", "estimators": None}, r"expected images to measure on, got 'none'"),
        ({"truth": Truth("digits", "digits-1.0/digits/test@9/mean")}, r"test@9"),
        ({"space": NatsSizeSpace()}, r"nats_size|NatsSizeSpace"),
        ({"strategy": PruningSearch, "evaluations": None}, r"expected a strategy that proposes architectures"),
        ({"parent": "nowhere"}, r"a branch of searches: expected both --from and --at, got 'no --at'"),
        ({"at": 3}, r"a branch of searches: expected both --from and --at, got 'no --from'"),
        ({"parent": "nowhere", "at": 0}, r"at=0: expected at >= 1, got 0"),
        ({"parent": "nowhere", "at": 3}, r"from='nowhere': expected a folder with searches, got 'none there'"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        searched(options.pop("output", tmp_path), **options)
    assert not (tmp_path / "search.html").exists()


def test_time_for_no_evaluation_is_refused(tmp_path: Path, fake: Any) -> None:
    message = r"seconds=0\.5: expected time for an evaluation by value, got 'none of RandomSearch'"
    options = {"rank": "value", "estimators": by(fake({"value": True})), "evaluations": None, "crossing": "is lost"}
    with pytest.raises(UsageError, match=message):
        searched(tmp_path, seconds=0.5, **options)


def test_another_seed_or_space_needs_another_folder(tmp_path: Path) -> None:
    searched(tmp_path)
    with pytest.raises(UsageError, match=r"got 'seed was 0, is 1'\. Name another folder with --output"):
        searched(tmp_path, seed=1)


def branched(parent: Path, output: Path, *fakes: Any, **options: Any) -> StudyReport:
    own = {"strategy": EVOLUTION, "rank": "value", "estimators": by(*fakes), "evaluations": 9}
    return searched(output, parent=str(parent), **own | options)


def test_branches_repeat_and_part(tmp_path: Path, fake: Any) -> None:
    whole = {"strategy": EVOLUTION, "rank": "value", "evaluations": 9, "seed": 3, "repeats": 2}
    searched(tmp_path / "parent", estimators=by(fake({"value": True})), **whole)
    parent = read(tmp_path / "parent", "trials")
    found = []
    for seed in (5, 7):
        own = fake({"value": True})
        folder = tmp_path / str(seed)
        report = branched(tmp_path / "parent", folder, own, at=6, seed=seed, repeats=2)
        assert report.facts["Branch"] == (f"as the parent's searches for 6 evaluations, then with seed {seed} on")
        assert report.facts["Searches"].endswith("seeds 3 to 4")
        trials = read(folder, "trials")
        for first in (0, 9):
            for name in ("seed", "candidate", "seconds", "value"):
                assert trials[name][first : first + 6] == parent[name][first : first + 6]
        assert trials["candidate"] != parent["candidate"]
        assert len(own.asked) <= 2 * 3
        found.append(trials["candidate"])
    assert found[0] != found[1]
    with pytest.raises(UsageError, match=r"expected a folder with searches, got 'searches that branched themselves'"):
        branched(tmp_path / "5", tmp_path / "again", fake({"value": True}), at=2)
    with pytest.raises(UsageError, match=r"at=10: expected at <= 9, where RegularizedEvolution by value ended, got 10"):
        branched(tmp_path / "parent", tmp_path / "late", fake({"value": True}), at=10)
    with pytest.raises(UsageError, match=r"Name another folder with --output"):
        branched(tmp_path / "parent", tmp_path / "parent", fake({"value": True}), at=6)


def test_what_draws_nothing_has_no_branches(tmp_path: Path, fake: Any) -> None:
    pruning = {"strategy": PruningSearch, "evaluations": None}
    options = {"rank": "value", "estimators": by(fake({"value": True})), **pruning}
    searched(tmp_path / "parent", **options)
    with pytest.raises(UsageError, match=r"expected a strategy that draws by a seed"):
        branched(tmp_path / "parent", tmp_path / "branch", fake({"value": True}), at=6, **pruning)


CONFIG = f"""
strategies:
  random: {{class_path: RandomSearch, init_args: {{distinct: arch}}}}
  evolution: {{class_path: RegularizedEvolution, init_args: {{population: 4, sample: 2}}}}
judges:
  recorded:
    rank: acc
    estimators:
      - class_path: RecordedAccuracy
        init_args: {{benchmark: digits, key: {KEY}, measure: acc}}
    truths:
      accuracy: {{benchmark: digits, key: {KEY}}}
evaluations: 12
after: [5]
repeats: 2
wandb: "off"
"""


def run(*arguments: object) -> int:
    return main(["search", *map(str, arguments)])


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    (folder / "small.yaml").write_text(CONFIG)
    assert run("--config", folder / "small.yaml", "--output", folder / "parent") == 0
    return folder / "parent"


def test_the_command_replays_from_its_own_config(parent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: (parent / f"{name}.md").read_bytes() for name in ("found", "differences")}
    assert run("--config", parent / "config.yaml") == 0
    printed = capsys.readouterr().out
    for words in ("What was found", "evolution", "Space: nats_topology, 15,625 architectures", "search.html"):
        assert words in printed
    assert "Store:" not in printed
    assert "lnas search --config" in (parent / "search.html").read_text()
    assert {name: (parent / f"{name}.md").read_bytes() for name in before} == before


@pytest.mark.parametrize("written", [["--from", "{}"], ["--from={}"]])
def test_a_branch_takes_the_parents_config(
    written: Sequence[str], parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = [part.format(parent) for part in written]
    assert run("-q", *origin, "--at", 6, "--seed", 1, "--output", tmp_path / "branch") == 0
    assert capsys.readouterr().out == ""
    trials, before = read(tmp_path / "branch", "trials"), read(parent, "trials")
    assert trials["seed"] == before["seed"]
    for first in range(0, 48, 12):
        assert trials["candidate"][first : first + 6] == before["candidate"][first : first + 6]
        assert trials["candidate"][first + 6 : first + 12] != before["candidate"][first + 6 : first + 12]
    assert read(tmp_path / "branch", "found").keys() == read(parent, "found").keys()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("", r"expected either rank or judges, got 'neither'"),
        ("--from", r"unknown option '--from'"),
        ("--from nowhere --at 3", r"nowhere/config\.yaml"),
        ("--from PARENT", r"expected both --from and --at, got 'no --at'"),
        ("--at 3", r"expected both --from and --at, got 'no --from'"),
        ("--from PARENT --at 13 --output OUTPUT", r"at=13: expected at <= 12"),
        ("--from PARENT --at 3", r"at was None, is 3; branch_seed was None, is 0'\. Name another folder with --output"),
        ("--strategy RandomSerch", r"unknown class 'RandomSerch'\. Did you mean 'RandomSearch'"),
        (
            "--config PARENT/config.yaml --output OUTPUT --seconds 5",
            r"evaluations=12, seconds=5.*expected one budget",
        ),
        ("--rank ntk_cond --evaluations 5 --output OUTPUT", r"expected images to measure on, got 'none'"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(
    arguments: str, line: str, parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (parent / "found.md").read_bytes()
    assert run(*arguments.replace("PARENT", str(parent)).replace("OUTPUT", str(tmp_path / "out")).split()) == 2
    printed = capsys.readouterr().err
    assert re.search(line, printed), printed
    assert printed.count("\n") == 1
    assert (parent / "found.md").read_bytes() == before


def test_an_estimator_that_never_serves_ends_the_search(tmp_path: Path, fake: Any) -> None:
    class Broken(fake):  # type: ignore[misc]
        def estimate(self, candidate: Any, *, seed: int) -> Any:
            raise ValueError("my own bug")

    with pytest.raises(RunError, match=r"a search by value: .*got 'none among 50 in a row'.*ValueError: my own bug"):
        searched(tmp_path, rank="value", estimators=by(Broken({"value": True})), evaluations=60)


def test_wandb_sees_tables_curves_answers_and_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lnas.pipeline.tracking import Tracker

    seen: dict[str, Any] = {}
    monkeypatch.setattr(Tracker, "table", lambda self, name, columns, rows: seen.update({name: (columns, rows)}))
    monkeypatch.setattr(Tracker, "summary", lambda self, values: seen.update(values))
    searched(tmp_path, truth=TRUTH, repeats=2, evaluations=60)
    assert {"found", "curves", "answers"} <= seen.keys()
    columns, rows = seen["curves"]
    assert columns == ("judge", "strategy", "curve", "evaluations", "mean", "deviation")
    assert {row[2] for row in rows} == {"accuracy", "acc"}
    assert [row[2] for row in seen["answers"][1]] == [0, 1], seen["answers"]
    accuracies = read(tmp_path, "found")["accuracy"]
    assert seen["acc/RandomSearch/accuracy"] == pytest.approx(accuracies[0])
    space = NatsTopologySpace()
    assert all(space.parse(notation) for *_, notation in seen["answers"][1])


@pytest.mark.slow
def test_wandb_offline_keeps_a_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    searched(tmp_path, truth=TRUTH, wandb="offline", quiet=False)
    assert re.search(r"W&B:    wandb sync .*offline-run-", capsys.readouterr().out)
    assert len(list(tmp_path.glob("wandb/offline-run-*/files/media/table/found*"))) == 1
