"""The laws of every space, and that each law notices a space that breaks it."""

from __future__ import annotations

import inspect
import pickle
import random

import numpy as np
import pytest

import lnas.spaces
from lnas.spaces import SPACES, SearchSpace
from lnas.testing import SpaceContract, TinySpace
from lnas.types import Arch, Region

ALL = {**SPACES, "tiny": TinySpace}


class TestSpaces(SpaceContract):
    @pytest.fixture(params=ALL)
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        return ALL[request.param]()


def test_no_space_is_left_out():
    public = [item for item in vars(lnas.spaces).values() if inspect.isclass(item) and issubclass(item, SearchSpace)]
    assert {space for space in public if not inspect.isabstract(space)} == {type(make()) for make in SPACES.values()}


def test_a_space_is_found_by_the_name_that_its_architectures_carry():
    assert all(make().name == name for name, make in SPACES.items())


def test_tiny_space_is_eight_architectures():
    space = TinySpace()
    assert [space.format(arch) for arch in space.classes()] == [f"{number:03b}" for number in range(8)]
    assert space.size == space.class_count == 8


def counting(name):
    """Return a space that counts the uses of one of its methods or properties."""
    used = vars(SearchSpace)[name]

    def count(self, *arguments):
        vars(self)["uses"] = vars(self).get("uses", 0) + 1
        found = getattr(super(counter, self), name)
        return found(*arguments) if callable(used) else found

    counter = type("Counter", (TinySpace,), {name: count if callable(used) else property(count)})
    return counter()


class Unwritten(Arch):
    def to_json(self):
        return Arch(self.space, ()).to_json()


DEAF_TO_REGIONS = {
    "sample_from": lambda self, region, rng: Arch("tiny", (1, 0, 1)),
    "sample": lambda self, rng: TinySpace().sample(rng),
}
BROKEN = {
    "test_samples_are_valid": {"sample": lambda self, rng: Arch("tiny", (2, 0, 0))},
    "test_same_seed_gives_the_same_samples": {
        "sample": lambda self, rng: TinySpace.sample(self, np.random.default_rng())
    },
    "test_samples_vary": {"sample": lambda self, rng: Arch("tiny", (1, 0, 1))},
    "test_region_holds_every_sample": {
        "region": property(lambda self: Region("tiny", ((0,), (0,), (0,)))),
        "sample": lambda self, rng: TinySpace().sample(rng),
    },
    "test_samples_of_a_region_stay_inside": DEAF_TO_REGIONS,
    "test_a_region_of_one_has_one_sample": DEAF_TO_REGIONS,
    "test_a_region_of_another_space_is_refused": {"require_region": lambda self, region: None},
    "test_class_samples_are_canonical_and_vary": {"sample_class": lambda self, rng: Arch("tiny", (1, 0, 1))},
    "test_distance_is_symmetric_and_zero_to_itself": {
        "distance": lambda self, arch, other: sum(a > b for a, b in zip(arch.genes, other.genes, strict=True))
    },
    "test_parse_undoes_format": {"format": lambda self, arch: "".join(map(str, arch.genes[::-1]))},
    "test_parse_refuses_what_is_no_architecture": {"parse": lambda self, text: Arch("tiny", (0, 0, 0))},
    "test_json_keeps_the_architecture": {"sample": lambda self, rng: Unwritten("tiny", (1, 0, 1))},
    "test_validate_refuses_another_space": {
        "validate": lambda self, arch: TinySpace.validate(self, Arch("tiny", arch.genes))
    },
    "test_validate_refuses_what_is_no_architecture": {
        "validate": lambda self, arch: isinstance(arch, str) or TinySpace.validate(self, arch)
    },
    "test_validate_refuses_a_wrong_number_of_genes": {
        "validate": lambda self, arch: TinySpace.validate(self, Arch(arch.space, (*arch.genes, 0, 0, 0)[:3]))
    },
    "test_validate_refuses_a_gene_out_of_range": {
        "validate": lambda self, arch: TinySpace.validate(self, Arch(arch.space, tuple(abs(g) for g in arch.genes)))
    },
    "test_neighbors_are_valid_and_distinct": {
        "neighbors": lambda self, arch: [*TinySpace.neighbors(self, arch), *TinySpace.neighbors(self, arch)]
    },
    "test_neighbors_differ_in_exactly_one_decision": {"neighbors": lambda self, arch: [arch]},
    "test_neighborhood_is_mutual": {
        "neighbors": lambda self, arch: [other for other in TinySpace.neighbors(self, arch) if other > arch]
    },
    "test_mutation_gives_a_neighbor": {"mutate": lambda self, arch, rng: arch},
    "test_mutation_reaches_every_neighbor": {"mutate": lambda self, arch, rng: next(self.neighbors(arch))},
    "test_same_seed_gives_the_same_mutations": {
        "mutate": lambda self, arch, rng: TinySpace.mutate(self, arch, np.random.default_rng())
    },
    "test_choices_of_a_decision_have_names_of_their_own": {"choice_name": lambda self, decision, choice: "a choice"},
    "test_canonical_is_valid_and_idempotent": {"canonical": lambda self, arch: next(self.neighbors(arch))},
    "test_classes_are_distinct_and_canonical": {
        "classes": lambda self: [arch for arch in TinySpace.classes(self) for _ in range(2)]
    },
    "test_classes_come_in_a_fixed_order": {
        "classes": lambda self: sorted(TinySpace.classes(self), key=lambda arch: random.SystemRandom().random())
    },
    "test_counts_are_those_of_the_classes": {"class_count": property(lambda self: 7)},
    "test_encoding_is_one_hot_per_decision": {
        "encode": lambda self, arch: TinySpace.encode(self, arch).astype(np.float64)
    },
    "test_encoding_tells_architectures_apart": {"encode": lambda self, arch: np.ones(3, dtype=np.float32)},
    "test_archs_are_all_there_are": {"archs": lambda self: iter([Arch("tiny", (0, 0, 0))])},
    "test_drawing_is_svg": {"draw": lambda self, arch: "<p/>"},
    "test_global_randomness_is_left_alone": {"draw": lambda self, arch: str(random.random())},
}


def test_every_law_has_a_space_that_breaks_it():
    laws = {name for name in vars(SpaceContract) if name.startswith("test_")}
    assert laws == {*BROKEN, "test_space_never_changes_itself"}


@pytest.mark.parametrize("law", BROKEN)
def test_the_law_notices_a_space_that_breaks_it(law):
    broken = type("Broken", (TinySpace,), BROKEN[law])()
    with pytest.raises((AssertionError, ValueError, TypeError)):
        getattr(SpaceContract(), law)(broken)


OFFERED = {name for name in vars(SearchSpace) if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(OFFERED - {"require_genes", "require_region"}))
def test_a_space_that_changes_itself_is_noticed(name, monkeypatch):
    monkeypatch.setattr(pickle, "dumps", lambda space: dict(vars(space)))  # a class of a function has no pickle
    with pytest.raises(AssertionError):
        SpaceContract().test_space_never_changes_itself(counting(name))
