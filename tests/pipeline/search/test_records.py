"""Every evaluation and every answer, as they come back from parquet."""

from __future__ import annotations

import io
import math
from typing import Any

import pyarrow.parquet as pq
import pytest

from lnas.pipeline.search.records import answers_parquet, trials_parquet
from lnas.testing import TinySpace
from lnas.types import Estimate, Trial

SPACE = TinySpace()
A = [SPACE.parse(f"{number:03b}") for number in range(8)]
NAN = math.nan
KNOWN = {A[0]: 50.0, A[1]: 60.0, A[3]: NAN}
FIRST, SECOND = {A[0]: 1.0, A[1]: 3.0}, {A[2]: NAN, A[3]: 5.0}


def read(written: bytes) -> dict[str, list[Any]]:
    return pq.read_table(io.BytesIO(written)).to_pydict()


@pytest.fixture
def other(make_search: Any, fake: Any, make_bench: Any, listed: Any) -> Any:
    """A search by another judge, of one evaluation."""
    bench = make_bench(fake({"b": True}), label="other")
    search = make_search(lambda seed, by: listed(A[:1]), bench, seed=7, label="s")
    search.course.tell(Trial(search.course.proposal(), {"b": Estimate(0.25)}), 2.5)
    return search


def test_every_evaluation_is_a_row(made_findings: Any, other: Any) -> None:
    found = made_findings({}, FIRST, SECOND)
    assert read(trials_parquet([*found.searches, other])) == {
        "strategy": ["strategy"] * 4 + ["s"],
        "judge": ["judge"] * 4 + ["other"],
        "seed": [0, 0, 1, 1, 7],
        "evaluation": [1, 2, 1, 2, 1],
        "candidate": ["tiny:0-0-0", "tiny:0-0-1", "tiny:0-1-0", "tiny:0-1-1", "tiny:0-0-0"],
        "seconds": [10, 20, 10, 20, 2.5],
        "value": [1, 3, None, 5, None],
        "b": [None] * 4 + [0.25],
    }


def test_every_change_of_an_answer_is_a_row(made_findings: Any) -> None:
    findings = [
        made_findings({"test": KNOWN}, FIRST, SECOND, label="x"),
        made_findings({"valid": KNOWN}, {A[2]: 1.0}, label="y", strategy="other"),
    ]
    assert read(answers_parquet(findings)) == {
        "strategy": ["strategy"] * 3 + ["other"],
        "judge": ["x", "x", "x", "y"],
        "seed": [0, 0, 1, 0],
        "evaluation": [1, 2, 2, 1],
        "seconds": [10, 20, 20, 10],
        "answer": ["tiny:0-0-0", "tiny:0-0-1", "tiny:0-1-1", "tiny:0-1-0"],
        "test": [50, 60, None, None],
        "valid": [None] * 4,
    }


def test_without_an_answer_there_is_no_row(made_findings: Any) -> None:
    found = made_findings({"test": KNOWN}, {A[0]: NAN})
    assert read(answers_parquet([found]))["answer"] == []
    assert read(trials_parquet(found.searches))["value"] == [None]
