from __future__ import annotations

import re

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, load_benchmark
from lnas.errors import UsageError
from lnas.pipeline.scores_study.accuracy_estimates import accuracy_estimates, benchmark_space
from lnas.pipeline.scores_study.score_files import Estimates, ScoreFile
from lnas.pipeline.truth import Truth
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

KEY, OTHER = "digits-1.0/digits/test@8/mean", "digits-1.0/digits/val@8/mean"
TRUTH = Truth("digits", KEY)
SPACE = NatsTopologySpace()
FILES = {"val": ScoreFile(f"truth:{OTHER}"), "mine": ScoreFile("my.csv")}


def test_accuracies_of_the_measured_architectures_that_have_one(known: tuple[list[Arch], np.ndarray]) -> None:
    unknown = next(arch for arch in SPACE.archs() if arch not in set(load_benchmark("digits").archs()))  # type: ignore[attr-defined]
    measured = Estimates("mine", [known[0][1], unknown, known[0][0]], np.arange(3.0), True)
    (found,) = accuracy_estimates(FILES, [measured], TRUTH, (), SPACE)
    assert (found.name, found.archs, found.higher_is_better) == ("val", [known[0][1], known[0][0]], True)
    queried = load_benchmark("digits").queries(found.archs, AccuracyKey.parse(OTHER))
    assert found.values.tolist() == queried.tolist()


def test_alone_they_are_of_all_that_the_benchmark_lists() -> None:
    (found,) = accuracy_estimates(FILES, [], TRUTH, (), benchmark_space(TRUTH))
    assert set(found.archs) == set(load_benchmark("digits").archs())  # type: ignore[attr-defined]


def test_an_accuracy_is_not_compared_with_itself_nor_one_that_there_is_not() -> None:
    for key, keys in ((KEY, ()), (OTHER, (OTHER,))):
        with pytest.raises(UsageError, match=re.escape(f"scores.a='truth:{key}': expected another accuracy")):
            accuracy_estimates({"a": ScoreFile(f"truth:{key}")}, [], TRUTH, keys, SPACE)
    with pytest.raises(UsageError, match="has no accuracies under"):
        accuracy_estimates({"a": ScoreFile("truth:digits-1.0/digits/val@9/mean")}, [], TRUTH, (), SPACE)
