"""`lnas run` end to end, at its smallest: what it prints, keeps, tracks and reports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from lnas.benchmarks import MEAN, load_benchmark
from lnas.cli import main
from lnas.errors import UsageError
from lnas.pipeline.truth import Truth
from lnas.spaces import NatsTopologySpace
from lnas.store import Store

CONFIG = Path(__file__).with_name("tiny.yaml")
CONTROL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"

TRUTH = next(key for key in load_benchmark("digits").keys() if (key.split, key.seed) == ("test", MEAN))


class Finished(NamedTuple):
    output: Path
    printed: str


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One run with an offline W&B run and a control of the user's own, in a process that is not a terminal."""
    output = tmp_path_factory.mktemp("run") / "tiny"
    arguments = ["--output", str(output), "--wandb", "offline", "--controls", f"[lowest, random, '{CONTROL}']"]
    arguments += ["--truth.benchmark", "digits", "--truth.key", str(TRUTH)]
    command = [sys.executable, "-m", "lnas", "run", "--config", str(CONFIG), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Finished(output, done.stdout)


def rows(finished: Finished) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in finished.printed.splitlines() if "│" in line]


def test_printed_text_has_no_control_characters(finished: Finished) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", finished.printed)


def test_printed_table_ranks_all_candidates(finished: Finished) -> None:
    ranked = [row for row in rows(finished) if row[0].isdigit()]
    assert [row[0] for row in ranked] == ["1", "2", "3", "4", "5"]
    sums = [float(row[1]) for row in ranked]
    assert sums == sorted(sums)
    assert sum(sums) == 3 * 15  # three measures, each gives ranks 1 to 5
    assert ranked[0][7] == "winner"
    assert ranked[4][7] == "lowest"


def test_printed_text_says_where_things_are_and_what_came_out(finished: Finished) -> None:
    assert re.search(r"The winner (wins|ties|does not win)", finished.printed)
    assert f"Report: {finished.output}/report.html" in finished.printed
    assert re.search(r"W&B:    wandb sync .*offline-run-", finished.printed)
    assert re.search(r"candidates: 5/5, \d+ s, .* a second, about 0 s left", finished.printed)


def test_benchmark_stands_beside_the_ranking(finished: Finished) -> None:
    with closing(Store(finished.output / "store.sqlite")) as store:
        known = [
            value
            for value in Truth("digits", str(TRUTH)).accuracies(store.candidates("run"), NatsTopologySpace())
            if value is not None
        ]
    said = [row[5] for row in rows(finished) if row[0].isdigit() and row[5]]
    assert sorted(said) == sorted(f"{value:.2f} %" for value in known)
    assert re.search(rf"{re.escape(str(TRUTH))}.* {len(known)} (of the )?candidates", finished.printed)


def test_store_holds_every_number(finished: Finished) -> None:
    store = Store(finished.output / "store.sqlite")
    candidates = store.candidates("run")
    assert len(candidates) == len(set(candidates)) == 5
    space = NatsTopologySpace()
    assert len({space.canonical(arch) for arch in candidates}) == 5
    assert [pick.role for pick in store.picks("run")] == ["winner", "lowest", "random", CONTROL]
    record = store.runs()["run"]
    assert record.settings["rank"] == "angle+loss+params"
    assert set(record.provenance["versions"]) >= {"lnas", "torch", "lightning"}
    assert record.outcome is not None
    store.close()


def test_all_picks_are_retrained_and_kept(finished: Finished) -> None:
    import safetensors.torch

    from lnas.nets import build_net

    folders = sorted((finished.output / "retrain").iterdir())
    assert len(folders) == 4
    assert not list(finished.output.rglob("*.ckpt"))
    cell = json.loads(next(finished.output.rglob("cell.json")).read_text())
    arch = NatsTopologySpace().parse(cell["arch"])
    weights = safetensors.torch.load_file(next(finished.output.rglob("cell.json")).with_name("weights.safetensors"))
    build_net(arch, channels=4, cells=1).load_state_dict(weights)


def test_saved_config_replays_the_run(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    saved = yaml.safe_load((finished.output / "config.yaml").read_text())
    assert saved["candidates"] == 5
    assert main(["run", "--config", str(finished.output / "config.yaml")]) == 0
    assert "The winner" in capsys.readouterr().out


def test_quiet_prints_nothing(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", str(finished.output / "config.yaml"), "-q"]) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.fixture(scope="module")
def wandb_records(finished: Finished) -> list[dict[str, Any]]:
    (file,) = finished.output.glob("wandb/offline-run-*/run-*.wandb")
    command = [str(Path(sys.executable).with_name("wandb")), "leet", "inspect", "--json", str(file)]
    read = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in read.stdout.splitlines()]


def test_wandb_run_holds_the_config(wandb_records: list[dict[str, Any]]) -> None:
    config: dict[str, Any] = {}
    for record in wandb_records:
        config |= record.get("config", {}).get("update", {})
    assert config["rank"] == "angle+loss+params"
    assert config["candidates"] == 5
    assert config["estimators"][0]["class"] == "lnas.estimators.short_training.ShortTrainingProtocol"


def test_wandb_run_holds_the_scalars(wandb_records: list[dict[str, Any]], finished: Finished) -> None:
    history = [record["history"]["item"] for record in wandb_records if "history" in record]
    angles = [item["candidates/angle"] for item in history if "candidates/angle" in item]
    store = Store(finished.output / "store.sqlite")
    (protocol,) = (
        json.loads(text)
        for text in _column(finished, "select text from protocols where text like '%ShortTrainingProtocol%'")
    )
    stored = _column(finished, "select value from estimates where measure = 'angle' order by rowid")
    store.close()
    assert protocol["steps"] == 5
    assert angles == stored
    for role in ("winner", "lowest", "random"):
        assert len([item for item in history if f"retrain-{role}-seed0/val_acc" in item]) == 3


def _column(finished: Finished, query: str) -> list[Any]:
    import sqlite3

    with sqlite3.connect(finished.output / "store.sqlite") as connection:
        return [value for (value,) in connection.execute(query)]


def test_wandb_run_holds_table_cell_and_outcome(wandb_records: list[dict[str, Any]], finished: Finished) -> None:
    files = [
        item["path"] for record in wandb_records for item in record.get("files", {}).get("files", ()) if "path" in item
    ]
    (table,) = [path for path in files if "table/ranking" in path]
    (found,) = finished.output.glob(f"wandb/offline-run-*/files/{table}")
    content = json.loads(found.read_text())
    assert content["columns"][:5] == ["position", "rank_sum", "angle", "loss", "params"]
    assert [row[0] for row in content["data"]] == [1, 2, 3, 4, 5]
    kinds = {record["artifact"]["type"] for record in wandb_records if "artifact" in record}
    assert "architecture" in kinds
    summaries: dict[str, Any] = {}
    for record in wandb_records:
        summaries |= record.get("summary", {}).get("update", {})
    assert "winner" in summaries
    assert any(name.startswith("test_acc") for name in summaries)


def test_a_start_after_the_end_opens_no_second_wandb_run(finished: Finished) -> None:
    assert main(["run", "--config", str(finished.output / "config.yaml"), "-q"]) == 0
    assert len(list(finished.output.glob("wandb/offline-run-*"))) == 1


def test_run_is_a_python_function_too(tmp_path: Path) -> None:
    from lnas.data import DigitsData
    from lnas.pipeline.run import run

    with pytest.raises(UsageError, match="unknown measure 'angl'"):
        run(DigitsData(), rank="angl", output=str(tmp_path), wandb="off")


def test_when_every_candidate_fails_there_is_no_winner_and_the_reason_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = "{class_path: ShortTrainingEstimator, init_args: {steps: 2, accelerator: abacus}}"
    arguments = ["--estimators", f"[{short}, ZeroShotEstimator]", "--retraining", "null", "--output", str(tmp_path)]
    assert main(["run", "--config", str(CONFIG), "-q", *arguments]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "expected a candidate with all its measures, got 'none of 5'" in line
    assert "abacus" in line
    assert not (tmp_path / "report.html").exists()
