from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from lnas.errors import StoreError
from lnas.store import Pick, Store, protocol_key
from lnas.types import Arch, Estimate, Region

ARCH, OTHER_ARCH = Arch("tiny", (1, 0, 1)), Arch("tiny", (0, 1, 1))


@dataclass(frozen=True)
class Protocol:
    epochs: int = 1
    rate: float = 0.1


@dataclass(frozen=True)
class OtherProtocol:
    epochs: int = 1
    rate: float = 0.1


PROTOCOL = Protocol()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


def reopened(store):
    store.close()
    return Store(store.url)


def filled(path, n=80):
    store = Store(path)
    for number in range(n):
        store.add(PROTOCOL, Arch("tiny", (number,)), 0, {"loss": Estimate.of(number, detail={"text": "x" * 200})})
    store.close()


def test_estimates_survive_reopening(store):
    estimates = {
        "loss": Estimate(0.1, "ok", 1.5, {"curves": {"loss": [2.0, 0.1]}}),
        "params": Estimate(12345.0),
    }
    store.add(PROTOCOL, ARCH, 3, estimates)
    assert reopened(store).estimates(PROTOCOL, ARCH, 3) == estimates


@pytest.mark.parametrize("value", [0.1 + 0.2, -5e-324, 1.7976931348623157e308])
def test_values_keep_every_bit(store, value):
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate.of(value)})
    kept = reopened(store).estimates(PROTOCOL, ARCH, 0)["loss"].value
    assert kept.hex() == value.hex()


@pytest.mark.parametrize(
    "estimate", [Estimate.of(math.nan), Estimate.of(-math.inf), Estimate.failure(ValueError("bad")), Estimate.of(1.0)]
)
def test_a_status_comes_back_with_or_without_its_number(store, estimate):
    store.add(PROTOCOL, ARCH, 0, {"loss": estimate})
    kept = reopened(store).estimates(PROTOCOL, ARCH, 0)["loss"]
    assert (kept.status, kept.detail) == (estimate.status, estimate.detail)
    assert kept.value == pytest.approx(estimate.value, nan_ok=True)


def test_nothing_kept_is_empty(store):
    assert store.estimates(PROTOCOL, ARCH, 0) == {}
    assert store.curves(PROTOCOL, ARCH, 0) == {}
    assert store.candidates("run") == []
    assert store.picks("run") == []
    assert store.runs() == {}


def test_measuring_again_replaces_that_measure_alone(store):
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate.of(1.0), "angle": Estimate.of(2.0)})
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate.of(3.0)})
    assert {name: item.value for name, item in store.estimates(PROTOCOL, ARCH, 0).items()} == {"loss": 3, "angle": 2}


@pytest.mark.parametrize(
    ("protocol", "arch", "seed"),
    [
        (Protocol(epochs=2), ARCH, 0),
        (Protocol(rate=0.2), ARCH, 0),
        (OtherProtocol(), ARCH, 0),
        (PROTOCOL, OTHER_ARCH, 0),
        (PROTOCOL, Arch("other", ARCH.genes), 0),
        (PROTOCOL, ARCH, 1),
    ],
)
def test_protocols_architectures_and_seeds_never_mix(store, protocol, arch, seed):
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate.of(1.0)})
    store.add_curve_points(PROTOCOL, ARCH, 0, 0, {"loss": 1.0})
    assert store.estimates(protocol, arch, seed) == {}
    assert store.curves(protocol, arch, seed) == {}
    store.add(protocol, arch, seed, {"loss": Estimate.of(2.0)})
    assert store.estimates(PROTOCOL, ARCH, 0)["loss"].value == 1


@pytest.mark.parametrize("seed", [0, -1, 2**32 - 1, 2**62])
def test_seeds_may_be_large(store, seed):
    store.add(PROTOCOL, ARCH, seed, {"loss": Estimate.of(1.0)})
    assert store.estimates(PROTOCOL, ARCH, seed)["loss"].value == 1


def test_numpy_integers_are_the_same_seeds_and_steps(store):
    store.add(PROTOCOL, ARCH, np.int64(3), {"loss": Estimate.of(1.0)})
    store.add_curve_points(PROTOCOL, ARCH, np.int64(3), np.int64(7), {"loss": 0.5})
    assert store.estimates(PROTOCOL, ARCH, 3)["loss"].value == 1
    assert store.curves(PROTOCOL, ARCH, 3) == {"loss": [(7, 0.5)]}


def test_protocol_key_is_short_and_stable():
    assert protocol_key(PROTOCOL) == protocol_key(Protocol(1, 0.1))
    assert len(protocol_key(PROTOCOL)) == 16
    assert len({protocol_key(item) for item in (PROTOCOL, Protocol(2), Protocol(rate=0.3), OtherProtocol())}) == 4


def test_curves_come_back_in_the_order_of_the_steps(store):
    for step, value in [(10, 0.1), (2, 0.5), (0, math.nan)]:
        store.add_curve_points(PROTOCOL, ARCH, 0, step, {"loss": value, "acc": value})
    curves = reopened(store).curves(PROTOCOL, ARCH, 0)
    assert curves["loss"][1:] == curves["acc"][1:] == [(2, 0.5), (10, 0.1)]
    assert curves["loss"][0][0] == 0
    assert math.isnan(curves["loss"][0][1])


def test_a_step_measured_again_replaces_the_former(store):
    store.add_curve_points(PROTOCOL, ARCH, 0, 1, {"loss": 0.5, "acc": 0.1})
    store.add_curve_points(PROTOCOL, ARCH, 0, 1, {"loss": 0.25})
    assert store.curves(PROTOCOL, ARCH, 0) == {"loss": [(1, 0.25)], "acc": [(1, 0.1)]}


def test_a_run_keeps_what_it_was_begun_with(store):
    first = store.begin_run("run", {"seed": 1, "space": ["a"]}, {"python": "3"})
    again = reopened(store).begin_run("run", {"seed": 2}, {})
    assert first == again
    assert (again.settings, again.provenance, again.outcome) == ({"seed": 1, "space": ["a"]}, {"python": "3"}, None)
    assert again.created.endswith("+00:00")


def test_a_finished_run_keeps_its_outcome(store):
    store.begin_run("run", {}, {})
    store.begin_run("other", {}, {})
    store.finish_run("run", "done")
    assert {name: record.outcome for name, record in reopened(store).runs().items()} == {"run": "done", "other": None}


def test_runs_come_oldest_first(store):
    names = ["c", "a", "b"]
    for name in names:
        store.begin_run(name, {}, {})
    assert list(store.runs()) == names


def test_candidates_come_back_by_number_and_run(store):
    store.add_candidate("run", 1, OTHER_ARCH)
    store.add_candidate("run", 0, ARCH)
    store.add_candidate("other", 0, OTHER_ARCH)
    assert reopened(store).candidates("run") == [ARCH, OTHER_ARCH]


def test_a_candidate_of_the_same_number_replaces_the_former(store):
    store.add_candidate("run", 0, ARCH)
    store.add_candidate("run", 0, OTHER_ARCH)
    assert store.candidates("run") == [OTHER_ARCH]


def test_picks_keep_their_order_and_are_replaced_together(store):
    store.set_picks("run", [Pick("winner", ARCH), Pick("lowest", OTHER_ARCH), Pick("a", ARCH)])
    store.set_picks("other", [Pick("winner", OTHER_ARCH)])
    assert store.picks("run") == [Pick("winner", ARCH), Pick("lowest", OTHER_ARCH), Pick("a", ARCH)]
    store.set_picks("run", [Pick("winner", OTHER_ARCH)])
    assert reopened(store).picks("run") == [Pick("winner", OTHER_ARCH)]
    assert store.picks("other") == [Pick("winner", OTHER_ARCH)]


def test_keeping_nothing_is_no_error(store):
    store.set_picks("run", [Pick("winner", ARCH)])
    store.set_picks("run", [])
    store.add(PROTOCOL, ARCH, 0, {})
    store.add_curve_points(PROTOCOL, ARCH, 0, 0, {})
    assert store.picks("run") == []
    assert store.estimates(PROTOCOL, ARCH, 0) == {}
    assert store.curves(PROTOCOL, ARCH, 0) == {}


def test_estimates_are_kept_together_or_not_at_all(store):
    without_status = Estimate(1.0, None)
    with pytest.raises(StoreError, match=r"got 'NOT NULL constraint failed: estimates\.status'"):
        store.add(PROTOCOL, ARCH, 0, {"angle": Estimate.of(1.0), "loss": without_status})
    assert store.estimates(PROTOCOL, ARCH, 0) == {}


def test_an_sqlalchemy_url_is_a_store(tmp_path):
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    store = Store(url)
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate.of(1.0)})
    store.close()
    assert store.url == url
    assert Store(tmp_path / "other.sqlite").estimates(PROTOCOL, ARCH, 0)["loss"].value == 1


def test_a_store_may_live_in_memory():
    store = Store("sqlite://")
    store.add_candidate("run", 0, ARCH)
    assert store.candidates("run") == [ARCH]
    store.close()


@pytest.mark.parametrize("name", ["what?.sqlite", "50%20off.sqlite", "a#b.sqlite", "ä b.sqlite", "what?a=b"])
def test_a_path_is_taken_as_it_is(tmp_path, name):
    store = Store(tmp_path / name)
    store.add_candidate("run", 0, ARCH)
    store.close()
    assert [item.name for item in tmp_path.iterdir()] == [name]


def one_line_of(caught):
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("size", [16, 100, 5000, 70_000])
def test_random_bytes_are_refused_in_one_line_that_names_the_path(path, size):
    path.write_bytes(np.random.default_rng(size).bytes(size))
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in one_line_of(caught)
    assert "got 'file is not a database'" in str(caught.value)


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9])
def test_a_truncated_store_is_refused_in_one_line_that_names_the_path(path, part):
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in one_line_of(caught)
    assert "malformed" in str(caught.value)


@pytest.mark.parametrize("pages", [slice(1, None), slice(-1, None)], ids=["all but the first page", "the last page"])
def test_damage_is_refused_on_opening_in_one_line_that_names_the_path(path, pages):
    filled(path)
    damaged = bytearray(path.read_bytes())
    for start in range(0, len(damaged), 4096)[pages]:
        damaged[start : start + 64] = b"\xff" * 64
    path.write_bytes(bytes(damaged))
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in one_line_of(caught)


def test_a_refused_file_is_left_as_it_was(path):
    content = np.random.default_rng(0).bytes(5000)
    path.write_bytes(content)
    with pytest.raises(StoreError):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["folder", "absent folder"])
def test_a_place_that_cannot_hold_a_file_is_refused(tmp_path, kind):
    place = tmp_path if kind == "folder" else tmp_path / "absent" / "store.sqlite"
    with pytest.raises(StoreError) as caught:
        Store(place)
    assert str(place) in one_line_of(caught)
    assert "got 'unable to open database file'" in str(caught.value)


@pytest.mark.parametrize("url", ["nosuch://user:secret@host/lnas", "sqlite+nosuch:///lnas", "://lnas"])
def test_a_url_that_leads_nowhere_is_refused_without_its_password(url):
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert "lnas" in one_line_of(caught)
    assert "secret" not in str(caught.value)


def test_another_schema_is_refused_and_named(path):
    filled(path, n=1)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in one_line_of(caught)
    assert "expected schema 1, got '99'. Use the lnas that wrote it." in str(caught.value)


def test_a_table_that_went_missing_is_reported_by_name(store, path):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE candidates")
    connection.close()
    with pytest.raises(StoreError) as caught:
        store.candidates("run")
    assert "got 'no such table: candidates'" in one_line_of(caught)


WRITER = """
import sys
from lnas.store import Store
from lnas.types import Arch, Estimate, Region

store = Store(sys.argv[1])
number = 0
while True:
    arch = Arch("tiny", (number,))
    store.add_candidate("run", number, arch)
    store.add({"epochs": 1}, arch, 0, {"loss": Estimate.of(number), "angle": Estimate.of(-number)})
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("lines", [1, 40, 150])
def test_kill_9_loses_no_committed_row_and_leaves_a_readable_store(path, lines):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        acknowledged = [int(writer.stdout.readline()) for _ in range(lines)]
        reader = Store(path)
        assert len(reader.candidates("run")) >= lines
        reader.close()
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert writer.returncode == -signal.SIGKILL
    store = Store(path)
    for number in acknowledged:
        estimates = store.estimates({"epochs": 1}, Arch("tiny", (number,)), 0)
        assert {name: item.value for name, item in estimates.items()} == {"loss": number, "angle": -number}
    begun = store.candidates("run")
    assert begun == [Arch("tiny", (number,)) for number in range(len(begun))]
    assert 0 <= len(begun) - len(acknowledged) <= 1
    assert len(store.estimates({"epochs": 1}, Arch("tiny", (len(acknowledged),)), 0)) in (0, 2)
    store.add_candidate("run", len(begun), ARCH)
    assert store.candidates("run")[-1] == ARCH
    store.close()


def test_regions_are_kept_apart_from_architectures(store):
    region = Region("tiny", ((0, 1), (1,)))
    store.add(PROTOCOL, region, 3, {"angle": Estimate(2.0)})
    store.add(PROTOCOL, Arch("tiny", (0, 1)), 3, {"angle": Estimate(1.0)})
    assert store.estimates(PROTOCOL, region, 3)["angle"].value == 2.0
    assert list(store.all_estimates(PROTOCOL, 3)) == [Arch("tiny", (0, 1))]


def test_all_estimates_are_those_of_each_candidate(store):
    first = {"loss": Estimate(0.1, "ok", 1.5, {"values": [0.1]}), "angle": Estimate.of(math.nan)}
    store.add(PROTOCOL, ARCH, 3, first)
    store.add(PROTOCOL, OTHER_ARCH, 3, {"loss": Estimate.failure(ValueError("bad"))})
    store.add(PROTOCOL, ARCH, 4, {"loss": Estimate(4.0)})
    store.add(Protocol(epochs=2), ARCH, 3, {"loss": Estimate(2.0)})
    found = store.all_estimates(PROTOCOL, 3)
    assert found.keys() == {ARCH, OTHER_ARCH}
    assert all(repr(found[arch]) == repr(store.estimates(PROTOCOL, arch, 3)) for arch in found)
    assert found[ARCH]["loss"] == first["loss"]
    assert store.all_estimates(OtherProtocol(), 3) == {}


def test_what_replaces_some_measures_leaves_the_others(store):
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate(1.0), "angle": Estimate(2.0)})
    store.add(PROTOCOL, OTHER_ARCH, 0, {"loss": Estimate(3.0)})
    store.add(PROTOCOL, ARCH, 0, {"loss": Estimate(4.0)})
    values = {
        arch: {name: item.value for name, item in row.items()} for arch, row in store.all_estimates(PROTOCOL, 0).items()
    }
    assert values == {ARCH: {"loss": 4.0, "angle": 2.0}, OTHER_ARCH: {"loss": 3.0}}
