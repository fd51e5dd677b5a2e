from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lnas.analysis.complexity_groups import complexity_bias, complexity_groups
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.figures import complexity_figures, precision_figures


def test_both_figures_of_complexity_name_every_estimator() -> None:
    groups = complexity_groups([1, 2, 3, 4, 5, 6], 3)
    truth = np.arange(6.0)
    found = complexity_figures(
        {"a": complexity_bias(truth, truth, groups), "b": complexity_bias(-truth, truth, groups)}, "params"
    )
    assert list(found) == ["Rank difference by params", "Tau inside groups by params"]
    for drawing in found.values():
        assert ">a<" in drawing
        assert ">b<" in drawing


def test_a_figure_without_a_number_is_left_out() -> None:
    groups = complexity_groups([1, 2, 3], 3)
    found = complexity_figures({"a": complexity_bias([1, 2, 3], [1, 2, 3], groups)}, "params")
    assert list(found) == ["Rank difference by params"]


def test_precision_is_drawn_beside_chance(evidence: Callable[..., Evidence]) -> None:
    truth = list(range(20))
    found = precision_figures(evidence(truth, {"a": truth}), ["a"], [0.001, 0.1, 0.5, 1.0])
    assert list(found) == ["P@top K against K", "P@bottom K against K"]
    assert ">a random order<" in found["P@top K against K"]
