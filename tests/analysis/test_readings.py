from __future__ import annotations

import math

import pytest

from lnas.analysis.readings import at_step
from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ShortTrainingEstimator
from lnas.nets import NetBuilder
from lnas.types import Arch, Estimate

TRAINED = {
    "angle": Estimate(0.3, seconds=8.0, detail={"curves": {"angle": [0.1, 0.2, None, 0.3]}}),
    "loss": Estimate(0.5, seconds=8.0, detail={"curves": {"loss": [4.0, 3.0, 2.0, 1.0]}}),
    "loss_area": Estimate(10.0, seconds=8.0),
}


def test_a_measure_with_a_curve_is_read_at_the_step_for_its_share_of_the_time() -> None:
    read = at_step(TRAINED, 2)
    assert {name: (item.value, item.status, item.seconds) for name, item in read.items()} == {
        "angle": (0.2, "ok", 4.0),
        "loss": (3.0, "ok", 4.0),
        "loss_area": (7.0, "ok", 4.0),
    }


def test_what_keeps_no_curve_cannot_be_read() -> None:
    assert "angle_feat" not in at_step({**TRAINED, "angle_feat": Estimate(0.2, seconds=8.0)}, 2)


def test_a_gap_in_a_curve_is_not_finite_and_a_failure_stays_one() -> None:
    assert at_step(TRAINED, 3)["angle"].status == "nonfinite"
    failed = Estimate.failure(ValueError("no"))
    assert at_step({"angle": failed}, 3) == {"angle": failed}


@pytest.mark.parametrize("step", [0, 5])
def test_a_step_that_was_not_trained_is_refused(step: int) -> None:
    with pytest.raises(UsageError, match=rf"step {step} of the curve of 'angle': expected a step in 1\.\.4"):
        at_step(TRAINED, step)


def test_it_is_what_a_training_of_so_many_steps_measures() -> None:
    """The promise of the ablation over iterations, on the estimator itself."""
    longer, shorter = (
        ShortTrainingEstimator(
            NetBuilder(4, 1), DigitsData(), classes=3, images_per_class=2, steps=steps, loss_at="last_step"
        ).estimate(Arch("nats_topology", (3, 0, 1, 0, 0, 2)), seed=0)
        for steps in (14, 12)
    )
    read = at_step(longer, 12)
    assert read.keys() == {"angle", "loss", "loss_area", "loss_tail"}
    for name, estimate in read.items():
        assert math.isclose(estimate.value, shorter[name].value, rel_tol=1e-12)
        assert not math.isclose(estimate.value, longer[name].value, rel_tol=1e-3)
