from __future__ import annotations

import dataclasses
import functools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.types import Arch, Estimate, Region, Trial, describe

ARCHS = st.builds(Arch, st.text(max_size=8), st.lists(st.integers(0, 99), max_size=8).map(tuple))
quickly = settings(deadline=None, max_examples=50)


@quickly
@given(ARCHS)
def test_arch_survives_json(arch):
    assert Arch.from_json(arch.to_json()) == arch


def test_arch_json_is_plain():
    assert json.loads(Arch("tiny", (1, 0, 1)).to_json()) == {"space": "tiny", "genes": [1, 0, 1]}


def test_arch_text_names_space_and_genes():
    assert str(Arch("tiny", (1, 0, 12))) == "tiny:1-0-12"


def test_arch_is_a_value():
    assert len({Arch("tiny", (1, 0)), Arch("tiny", (1, 0)), Arch("tiny", (0, 1)), Arch("other", (1, 0))}) == 3


@pytest.mark.parametrize("value", [Arch("tiny", (1,)), Estimate.of(1.0), Trial(Arch("tiny", (1,)), {})])
def test_records_cannot_be_changed(value):
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "3",
        "[1, 2]",
        "null",
        '{"space": "tiny"}',
        '{"genes": [1]}',
        '{"space": null, "genes": [1]}',
        '{"space": "tiny", "genes": "101"}',
        '{"space": "tiny", "genes": ["a"]}',
        '{"space": "tiny", "genes": ["1"]}',
        '{"space": "tiny", "genes": [1.5]}',
        '{"space": "tiny", "genes": [Infinity]}',
        '{"space": "tiny", "genes": [true]}',
        '{"space": "tiny", "genes": {}}',
    ],
)
def test_arch_refuses_other_json(text):
    with pytest.raises(UsageError, match=r"expected .*, got .*\. Example: "):
        Arch.from_json(text)


@pytest.mark.parametrize("text", ["", "{", "3", "null", '{"space": "tiny"}', "[" * 3000])
def test_what_is_no_object_is_shown(text):
    with pytest.raises(UsageError, match="expected a JSON object with space and genes, got ") as caught:
        Arch.from_json(text)
    assert repr(text)[:100] in str(caught.value)


@pytest.mark.parametrize("genes", [[1, 0, 1], np.array([1, 0, 1]), (np.int64(1), np.uint8(0), 1), iter((1, 0, 1))])
def test_genes_are_kept_as_plain_integers(genes):
    arch = Arch("tiny", genes)
    assert arch == Arch("tiny", (1, 0, 1))
    assert {type(gene) for gene in arch.genes} == {int}
    assert str(arch) == "tiny:1-0-1"


@pytest.mark.parametrize("genes", [(True, 0), (1.0, 0), (np.True_, 0), ("1", 0), "10", {1: 0}, {1}, None, 3])
def test_genes_of_another_kind_are_refused(genes):
    with pytest.raises(UsageError) as caught:
        Arch("tiny", genes)
    assert f"Arch('tiny', ...): expected integers as genes, got {genes!r}" in str(caught.value)


@pytest.mark.parametrize("record", [Arch, Region])
def test_the_name_of_a_space_is_text(record):
    with pytest.raises(UsageError, match="expected the name of a space, got 3"):
        record(3, ())


@pytest.mark.parametrize("value", [0.0, -1.5, 1e308, 3])
def test_a_finite_number_is_ok(value):
    estimate = Estimate.of(value, 2.0, {"curves": {"loss": [1.0]}})
    assert estimate == Estimate(value, "ok", 2.0, {"curves": {"loss": [1.0]}})
    assert type(estimate.value) is float


@pytest.mark.parametrize(("value", "written"), [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan")])
def test_a_nonfinite_number_is_a_status_and_no_number(value, written):
    estimate = Estimate.of(value, 2.0, {"batch": 3})
    assert math.isnan(estimate.value)
    assert (estimate.status, estimate.seconds) == ("nonfinite", 2.0)
    assert estimate.detail == {"batch": 3, "got": written}


def test_classifying_leaves_the_callers_detail_alone():
    detail = {"batch": 3}
    Estimate.of(math.nan, detail=detail)
    assert detail == {"batch": 3}


def test_a_failure_keeps_the_error_and_no_number():
    estimate = Estimate.failure(ZeroDivisionError("by zero"), 1.5)
    assert math.isnan(estimate.value)
    assert (estimate.status, estimate.seconds) == ("failed", 1.5)
    assert estimate.detail == {"error": "ZeroDivisionError: by zero"}


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Outer:
    inner: Inner = Inner()
    sizes: tuple[int, ...] = (1, 2)


class Stateful:
    def __init__(self, state):
        self.state = state

    def method(self):
        return self.state


@pytest.mark.parametrize(
    ("value", "described"),
    [
        (
            Outer(),
            {
                "class": f"{__name__}.Outer",
                "inner": {"class": f"{__name__}.Inner", "rate": 0.1},
                "sizes": [1, 2],
            },
        ),
        ({1: (True, None, "a", 2, 0.5)}, {"1": [True, None, "a", 2, 0.5]}),
        (json.dumps, "json.dumps"),
        (Estimate.of, "lnas.types.Estimate.of"),
        (Arch, "lnas.types.Arch"),
        (slice(1, 2), "slice(1, 2, None)"),
    ],
)
def test_describe_gives_plain_data(value, described):
    assert describe(value) == described


@pytest.mark.parametrize("value", [functools.partial(json.dumps, indent=2), Stateful(1), Stateful(1).method])
def test_describe_gives_the_same_in_every_process(value):
    assert "0x" not in json.dumps(describe(value))


def test_describe_takes_a_dataclass_itself_for_a_class():
    assert describe(Outer) == f"{__name__}.Outer"


@quickly
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_describe_leaves_plain_data_as_it_is(value):
    assert describe(value) == value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Inner(0.1), Inner(0.2)),
        (Inner(1.0), Outer()),
        (True, 1.5),
        (Path("a"), Path("b")),
        (functools.partial(json.dumps, indent=2), functools.partial(json.dumps, indent=4)),
        (Stateful(1), Stateful(2)),
        (Stateful(1).method, Stateful(2).method),
    ],
)
def test_describe_tells_values_apart(one, other):
    assert describe(one) != describe(other)


CHOICES = st.lists(st.sets(st.integers(0, 9), min_size=1).map(sorted).map(tuple), min_size=1, max_size=5).map(tuple)
REGIONS = st.builds(Region, st.text(max_size=8), CHOICES)


@quickly
@given(REGIONS)
def test_region_survives_json(region):
    assert Region.from_json(region.to_json()) == region


@quickly
@given(REGIONS, st.data())
def test_region_holds_what_is_made_of_its_choices_and_nothing_else(region, data):
    arch = Arch(region.space, tuple(data.draw(st.sampled_from(allowed)) for allowed in region.choices))
    assert arch in region
    assert arch in Region.of(arch)
    assert Region.of(arch).is_single
    assert Arch(f"not {region.space}", arch.genes) not in region
    assert Arch(region.space, (*arch.genes, 0)) not in region
    assert Arch(region.space, (10, *arch.genes[1:])) not in region


@quickly
@given(REGIONS, st.data())
def test_without_forbids_one_choice_only(region, data):
    decision = data.draw(st.integers(0, len(region.choices) - 1))
    choice = data.draw(st.sampled_from(region.choices[decision]))
    if len(region.choices[decision]) == 1:
        with pytest.raises(UsageError, match=f"choices of decision {decision} in ascending order, at least one"):
            region.without(decision, choice)
        return
    smaller = region.without(decision, choice)
    for number, (before, after) in enumerate(zip(region.choices, smaller.choices, strict=True)):
        assert set(before) - set(after) == ({choice} if number == decision else set())


@pytest.mark.parametrize("allowed", [(), (1, 0), (0, 0)])
def test_choices_of_a_region_are_ascending(allowed):
    with pytest.raises(UsageError, match="choices of decision 1 in ascending order"):
        Region("tiny", ((0,), allowed))


def test_region_text_names_space_and_choices():
    assert str(Region("tiny", ((0, 1), (2,)))) == "tiny:0,1-2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a JSON object with space and choices, got ''"),
        ("3", "expected a JSON object with space and choices, got '3'"),
        ("[" * 3000, "expected a JSON object with space and choices"),
        ('{"space": "tiny"}', "expected a JSON object with space and choices"),
        ('{"choices": [[0]]}', "expected a JSON object with space and choices"),
        ('{"space": "tiny", "choices": [["0"]]}', "expected integers as choices of each decision, got [['0']]"),
        ('{"space": "tiny", "choices": {}}', "expected integers as choices of each decision, got {}"),
        ('{"space": "tiny", "choices": [[1, 0]]}', "expected choices of decision 0 in ascending order, at least one"),
    ],
)
def test_what_is_no_region_is_refused(text, words):
    with pytest.raises(UsageError) as caught:
        Region.from_json(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("choices", [[[0, 1], [2]], np.array([[0, 1]]), (np.arange(3), (np.int8(4),))])
def test_choices_are_kept_as_tuples_of_plain_integers(choices):
    region = Region("tiny", choices)
    assert region.choices == tuple(tuple(map(int, allowed)) for allowed in choices)
    assert {type(choice) for allowed in region.choices for choice in allowed} == {int}
    assert Region.from_json(region.to_json()) == region


@pytest.mark.parametrize("choices", [(0, 1), ((0.0,),), ((False, True),), ("01",), ({0, 1},), None])
def test_choices_of_another_kind_are_refused(choices):
    with pytest.raises(UsageError) as caught:
        Region("tiny", choices)
    assert f"Region('tiny', ...): expected integers as choices of each decision, got {choices!r}" in str(caught.value)


THREE = Region("tiny", ((0, 1), (0, 1), (0, 1)))


@pytest.mark.parametrize("decision", [-1, 3, "0"])
def test_a_region_has_no_other_decisions(decision):
    for change in (lambda: THREE.without(decision, 1), lambda: THREE.replaced(decision, (1,))):
        with pytest.raises(UsageError) as caught:
            change()
        assert f"expected a decision in 0..2, got {decision!r}. The region is tiny:0,1-0,1-0,1." in str(caught.value)


def test_without_refuses_what_is_not_allowed_anyway():
    with pytest.raises(UsageError, match=r"Region.without\(0, 99\): expected a choice of \(0, 1\), got 99"):
        THREE.without(0, 99)


@pytest.mark.parametrize("genes", [(0,), (3, 1, 2, 0, 4, 3), (123456789, 0)])
def test_the_text_of_an_architecture_is_read_back(genes: tuple[int, ...]) -> None:
    arch = Arch("a:b", genes)
    assert Arch.from_text(str(arch)) == arch


@pytest.mark.parametrize(
    "text", ["", "nats", ":1-2", "nats:", "nats:1-", "nats:1--2", "nats:1,2-3", "nats:a", "nats:1 "]
)
def test_a_text_that_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="here: expected SPACE:GENES as arch"):
        Arch.from_text(text, "here")
