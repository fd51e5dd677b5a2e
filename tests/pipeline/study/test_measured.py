from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lnas.data import DigitsData
from lnas.errors import RunError, UsageError
from lnas.execution import Serial
from lnas.nets import NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.study.measured import Measured, measure, read_iterations
from lnas.pipeline.study.settings import Iterations, make_settings
from lnas.spaces import NatsTopologySpace
from lnas.store import Store
from lnas.types import Arch, Estimate

SPACE = NatsTopologySpace()
ARCHS = [Arch("nats_topology", genes) for genes in ((3, 0, 1, 0, 0, 2), (1, 1, 1, 1, 1, 1), (2, 0, 0, 1, 0, 3))]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.sqlite")) as opened:
        yield opened


def measured(store: Store, *fakes: Any) -> list[Measured]:
    factories = {f.name: lambda net, data, f=f: f for f in fakes}
    settings = make_settings(factories, ["angle+loss"], NetBuilder(channels=4, cells=1), DigitsData())
    return measure(ARCHS, settings, SPACE, 5, Serial(), store, Display(quiet=True))


def test_every_architecture_has_what_each_setting_gives_and_what_they_share(store: Store, fake: Any) -> None:
    first, second = measured(store, fake("a"), fake("b"))
    for setting, name in ((first, "a"), (second, "b")):
        assert [trial.arch for trial in setting.trials] == ARCHS
        for trial in setting.trials:
            own = fake(name).estimate(trial.arch, seed=5)
            assert {key: trial.estimates[key] for key in own} == own
        assert setting.names == ["angle", "loss", "speed"]
        assert setting.seconds == 2
        assert setting.values("angle").tolist() == [trial.estimates["angle"].value for trial in setting.trials]
    assert first.sizes.tolist() == second.sizes.tolist()
    assert first.sizes[0] > first.sizes[1], "a cell with convolutions has more parameters"


def test_what_is_stored_is_not_measured_again_unless_it_failed(store: Store, fake: Any) -> None:
    failing = fake("a", {ARCHS[1]: Estimate.failure(OSError("disk"))})
    (before,) = measured(store, failing)
    assert [trial.estimates["angle"].status for trial in before.trials] == ["ok", "failed", "ok"]
    again, new = fake("a"), fake("b")
    measured(store, again, new)
    assert again.asked == [ARCHS[1]]
    assert sorted(new.asked) == sorted(ARCHS)


def test_a_number_is_kept_before_the_next_setting_is_asked(store: Store, fake: Any) -> None:
    class Interrupted(fake):  # type: ignore[misc]
        def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
            raise KeyboardInterrupt

    first = fake("a")
    with pytest.raises(KeyboardInterrupt):
        measured(store, first, Interrupted("b"))
    assert list(store.all_estimates(first.protocol, 5)) == first.asked != []


def test_a_measure_without_any_number_ends_the_study(store: Store, fake: Any) -> None:
    bad = dict.fromkeys(ARCHS, Estimate.of(math.nan))
    with pytest.raises(RunError, match=r"setting 'b': expected a number for angle, got 'none'.*nonfinite: nan"):
        measured(store, fake("a"), fake("b", bad))


def test_iterations_are_read_from_the_curves(store: Store, fake: Any) -> None:
    both = measured(store, fake("a"), fake("b"))
    early, late = read_iterations(Iterations("b", [1, 4]), both, "angle+params")
    assert (early.label, late.label) == ("step 1 of b", "step 4 of b")
    assert early.values("angle") == pytest.approx(both[1].values("angle") / 4)
    assert late.values("loss").tolist() == both[1].values("loss").tolist()
    assert early.sizes.tolist() == both[1].sizes.tolist()
    assert (early.seconds, late.seconds, early.protocol) == (0.5, 2, both[1].protocol)
    assert early.directions == {"angle": False, "loss": False, "params": True}, "speed keeps no curve"


def test_iterations_beyond_the_training_are_refused(store: Store, fake: Any) -> None:
    (only,) = measured(store, fake("a"))
    with pytest.raises(UsageError, match=r"expected a step in 1\.\.4, got 5"):
        read_iterations(Iterations("a", [5]), [only], "angle")


def test_a_rank_of_what_keeps_no_curve_is_refused(store: Store, fake: Any) -> None:
    (only,) = measured(store, fake("a", {ARCHS[1]: Estimate.failure(OSError("disk"))}))
    with pytest.raises(
        UsageError, match=r"step 2 of a: expected a curve of each measure of 'angle\+speed', got 'none of"
    ):
        read_iterations(Iterations("a", [2]), [only], "angle+speed")


def test_the_first_few_are_the_first_few_everywhere(store: Store, fake: Any) -> None:
    (only,) = measured(store, fake("a"))
    some = only.first(2)
    assert some.trials == only.trials[:2]
    assert some.sizes.tolist() == only.sizes.tolist()[:2]
