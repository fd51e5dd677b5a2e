"""What the searches of both results had found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from lnas.pipeline.comparing.answers import Answers, read_answers, recorded_truths
from lnas.pipeline.comparing.measured import measured_of
from lnas.pipeline.comparing.searches import Rivals, course_figures, found_table, rivals_of, search_verdicts
from lnas.pipeline.comparing.source import open_source
from lnas.pipeline.parquet import columns_parquet
from lnas.report.table import WithDeviation
from lnas.store import Store
from lnas.types import Arch

ARCHS = [Arch("nats_topology", (k, 0, 0, 0, 0, 0)) for k in range(5)]
TRUTH = dict(zip(ARCHS, [50.0, 60.0, 70.0, 80.0, 90.0], strict=True))


def answers(*changes: tuple[int, int]) -> Answers:
    return Answers([since for since, _ in changes], [ARCHS[k] for _, k in changes], 10)


RIVALS = Rivals("R", {0: answers((1, 0), (4, 1)), 1: answers((1, 1))}, {0: answers((1, 3)), 1: answers((1, 2), (9, 4))})


def test_accuracies_are_paired_over_seeds() -> None:
    table = found_table([RIVALS], {"acc": TRUTH}, [5])
    assert table is not None
    cells = {column.name: list(column.cells) for column in table.columns}
    assert cells["evaluations"] == [5, 10]
    assert cells["a"] == [WithDeviation(60.0, 0.0), WithDeviation(60.0, 0.0)]
    for ahead, value, reached in zip(cells["ahead"], (15.0, 25.0), ([80.0, 70.0], [80.0, 90.0]), strict=True):
        assert ahead == pytest.approx((value, *ttest_rel(reached, [60.0, 60.0]).confidence_interval()))
    assert cells["paired"] == ["paired over 2 seeds"] * 2


def test_seeds_of_one_side_only_or_unknown_accuracies_are_not_paired() -> None:
    lone = Rivals("R", {0: answers((1, 0)), 7: answers((1, 1))}, {3: answers((1, 2)), 4: answers((1, 3))})
    table = found_table([lone], {"acc": TRUTH}, [9])
    assert table is not None
    assert [column.cells[-1] for column in table.columns][-1] == "over 2 and 2 seeds"
    assert search_verdicts([lone], {"acc": {}})["R, acc"].startswith("nothing known of what was found")


def test_the_verdict_names_the_better_side_only_where_the_interval_does() -> None:
    assert "no difference that so few searches can show" in search_verdicts([RIVALS], {"acc": TRUTH})["R, acc"]
    ahead = Rivals("R", {s: answers((1, s % 2)) for s in range(6)}, {s: answers((1, 3 + s % 2)) for s in range(6)})
    assert search_verdicts([ahead], {"acc": TRUTH})["R, acc"].startswith("B finds better after 10 evaluations")
    same = Rivals("R", ahead.a, ahead.a)
    assert search_verdicts([same], {"acc": TRUTH})["R, acc"].startswith("both find what is equally accurate")
    assert list(course_figures([ahead], {"acc": TRUTH})) == ["acc: R"]


def test_kinds_of_searches_pair_up_by_name_or_where_each_has_but_one() -> None:
    one, other = {("R", "j"): RIVALS.a}, {("E", "j"): RIVALS.b}
    assert [each.name for each in rivals_of(one, one)] == ["R by j"]
    assert [each.name for each in rivals_of(one, other)] == ["R by j / E by j"]
    assert rivals_of(one | other, {("X", "j"): RIVALS.a}) == []


def test_files_of_searches_are_read(tmp_path: Path) -> None:
    trials = {"strategy": ["R"] * 4, "judge": ["j"] * 4, "seed": [0, 0, 0, 1], "evaluation": [1, 2, 3, 1]}
    trials["candidate"] = [str(ARCHS[k]) for k in (0, 1, 0, 2)]
    (tmp_path / "trials.parquet").write_bytes(
        columns_parquet(trials | {"seconds": [0.0] * 4, "loss": [3.0, None, 4.0, 5.0]})
    )
    found = {"strategy": ["R", "R"], "judge": ["j", "j"], "seed": [0, 1], "evaluation": [2, 1], "seconds": [0.0, 0.0]}
    found |= {"answer": [str(ARCHS[1]), str(ARCHS[2])], "acc": [60.0, None]}
    (tmp_path / "answers.parquet").write_bytes(columns_parquet(found))
    Store(tmp_path / "store.sqlite").close()
    source = open_source("a", str(tmp_path))
    assert read_answers(source) == {("R", "j"): {0: Answers([2], [ARCHS[1]], 3), 1: Answers([1], [ARCHS[2]], 1)}}
    assert recorded_truths(source)["acc"][ARCHS[1]] == 60.0
    measured = measured_of("a", source)
    assert measured.archs == (ARCHS[0], ARCHS[1])
    np.testing.assert_array_equal(measured.values["loss"], [3.0, np.nan])
