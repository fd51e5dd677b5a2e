"""The laws of `SearchSpace`, as a suite to subclass."""

from __future__ import annotations

import functools
import itertools
import pickle
import random
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np

from lnas.errors import UsageError
from lnas.spaces import SearchSpace
from lnas.types import Arch, Region

_SVG = "{http://www.w3.org/2000/svg}svg"
_COUNTABLE = 20_000
# After so many mutations per neighbor, the chance that uniform ones have missed a given neighbor is exp(-20).
_MUTATIONS_PER_NEIGHBOR = 20


class SpaceContract:
    """What every search space must hold to.

    Subclass it in a test file and give it one fixture, `space`. The suite imports no test library, and draws its
    architectures with seeded generators, so that a failure comes back on every run.

    Call `pytest.register_assert_rewrite("lnas.testing")` in `conftest.py` to see the values that an assertion compared.

    Attributes:
        samples: How many random architectures each law is tried on.

    Example:
        All of the tests that a space needs at first::

            class TestMySpace(SpaceContract):
                @pytest.fixture
                def space(self):
                    return MySpace()
    """

    samples = 50

    def test_samples_are_valid(self, space: SearchSpace) -> None:
        for arch in self._sampled(space):
            space.validate(arch)
            assert arch.space == space.name

    def test_same_seed_gives_the_same_samples(self, space: SearchSpace) -> None:
        assert self._sampled(space, seed=1) == self._sampled(space, seed=1)

    def test_samples_vary(self, space: SearchSpace) -> None:
        assert len(set(self._sampled(space))) > 1

    def test_region_holds_every_sample(self, space: SearchSpace) -> None:
        assert space.region.space == space.name
        assert all(arch in space.region for arch in self._sampled(space))
        assert len(space.gene_names()) == len(space.region.choices)

    def test_choices_of_a_decision_have_names_of_their_own(self, space: SearchSpace) -> None:
        for decision, choices in enumerate(space.region.choices):
            names = [space.choice_name(decision, choice) for choice in choices]
            assert all(names)
            assert len(set(names)) == len(choices)

    def test_samples_of_a_region_stay_inside(self, space: SearchSpace) -> None:
        """Tried on regions that two architectures span, in which decisions that they share are made."""
        rng = np.random.default_rng(1)
        archs = self._sampled(space)
        for one, other in itertools.pairwise(archs):
            region = Region(
                space.name, tuple(tuple(sorted({a, b})) for a, b in zip(one.genes, other.genes, strict=True))
            )
            for _ in range(3):
                arch = space.sample_from(region, rng)
                space.validate(arch)
                assert arch in region

    def test_a_region_of_one_has_one_sample(self, space: SearchSpace) -> None:
        rng = np.random.default_rng(1)
        assert all(space.sample_from(Region.of(arch), rng) == arch for arch in self._sampled(space))

    def test_a_region_of_another_space_is_refused(self, space: SearchSpace) -> None:
        choices = space.region.choices
        for wrong in (
            Region(f"not {space.name}", choices),
            Region(space.name, choices[:-1]),
            Region(space.name, ((10**6,), *choices[1:])),
        ):
            draw = functools.partial(space.sample_from, wrong, np.random.default_rng(0))
            _assert_raises(draw, f"sample_from accepted {wrong}")

    def test_class_samples_are_canonical_and_vary(self, space: SearchSpace) -> None:
        rng = np.random.default_rng(0)
        drawn = [space.sample_class(rng) for _ in range(self.samples)]
        assert all(space.canonical(arch) == arch for arch in drawn)
        assert len(set(drawn)) > 1

    def test_distance_is_symmetric_and_zero_to_itself(self, space: SearchSpace) -> None:
        for one, other in itertools.pairwise(self._sampled(space)):
            assert space.distance(one, one) == 0
            assert space.distance(one, other) == space.distance(other, one)
            assert (space.distance(one, other) == 0) == (one == other)

    def test_parse_undoes_format(self, space: SearchSpace) -> None:
        for arch in self._sampled(space):
            assert space.parse(space.format(arch)) == arch

    def test_parse_refuses_what_is_no_architecture(self, space: SearchSpace) -> None:
        for text in ("", "?", space.format(self._sampled(space)[0]) + "?"):
            _assert_raises(functools.partial(space.parse, text), f"parse accepted {text!r}")

    def test_json_keeps_the_architecture(self, space: SearchSpace) -> None:
        """Stores and files hold the JSON."""
        for arch in self._sampled(space):
            assert Arch.from_json(arch.to_json()) == arch

    def test_validate_refuses_another_space(self, space: SearchSpace) -> None:
        _assert_refused(space, Arch(f"not {space.name}", self._sampled(space)[0].genes))

    def test_validate_refuses_what_is_no_architecture(self, space: SearchSpace) -> None:
        notation: Any = space.format(self._sampled(space)[0])
        _assert_refused(space, notation)

    def test_validate_refuses_a_wrong_number_of_genes(self, space: SearchSpace) -> None:
        genes = self._sampled(space)[0].genes
        for wrong in ((), genes[:-1], (*genes, genes[-1])):
            _assert_refused(space, Arch(space.name, wrong))

    def test_validate_refuses_a_gene_out_of_range(self, space: SearchSpace) -> None:
        """-1 above all, since Python would take it for the last choice."""
        genes = self._sampled(space)[0].genes
        for position, gene in itertools.product(range(len(genes)), (-1, 10**6)):
            _assert_refused(space, Arch(space.name, (*genes[:position], gene, *genes[position + 1 :])))

    def test_neighbors_are_valid_and_distinct(self, space: SearchSpace) -> None:
        for arch in self._sampled(space):
            neighbors = list(space.neighbors(arch))
            assert neighbors
            assert len(set(neighbors)) == len(neighbors), arch
            for neighbor in neighbors:
                space.validate(neighbor)

    def test_neighbors_differ_in_exactly_one_decision(self, space: SearchSpace) -> None:
        """So the architecture itself is never among them."""
        for arch in self._sampled(space):
            for neighbor in space.neighbors(arch):
                assert arch != neighbor
                assert space.distance(arch, neighbor) == 1, (arch, neighbor)

    def test_neighborhood_is_mutual(self, space: SearchSpace) -> None:
        for arch in self._sampled(space):
            for neighbor in itertools.islice(space.neighbors(arch), 3):
                assert arch in space.neighbors(neighbor), (arch, neighbor)

    def test_mutation_gives_a_neighbor(self, space: SearchSpace) -> None:
        rng = np.random.default_rng(1)
        for arch in self._sampled(space):
            mutant = space.mutate(arch, rng)
            assert space.distance(arch, mutant) == 1, (arch, mutant)
            assert mutant in space.neighbors(arch), (arch, mutant)

    def test_mutation_reaches_every_neighbor(self, space: SearchSpace) -> None:
        rng = np.random.default_rng(1)
        arch = self._sampled(space)[0]
        neighbors = set(space.neighbors(arch))
        mutants = {space.mutate(arch, rng) for _ in range(_MUTATIONS_PER_NEIGHBOR * len(neighbors))}
        assert mutants == neighbors

    def test_same_seed_gives_the_same_mutations(self, space: SearchSpace) -> None:
        archs = self._sampled(space)
        first, second = np.random.default_rng(1), np.random.default_rng(1)
        assert [space.mutate(arch, first) for arch in archs] == [space.mutate(arch, second) for arch in archs]

    def test_canonical_is_valid_and_idempotent(self, space: SearchSpace) -> None:
        for arch in self._sampled(space):
            representative = space.canonical(arch)
            space.validate(representative)
            assert space.canonical(representative) == representative, arch

    def test_classes_are_distinct_and_canonical(self, space: SearchSpace) -> None:
        representatives = list(itertools.islice(space.classes(), self.samples))
        assert len(set(representatives)) == len(representatives) == min(self.samples, space.class_count)
        for arch in representatives:
            assert space.canonical(arch) == arch

    def test_classes_come_in_a_fixed_order(self, space: SearchSpace) -> None:
        first, second = (list(itertools.islice(space.classes(), self.samples)) for _ in range(2))
        assert first == second

    def test_counts_are_those_of_the_classes(self, space: SearchSpace) -> None:
        """Counted one by one where that is quick."""
        assert 1 <= space.class_count <= space.size
        if space.class_count <= _COUNTABLE:
            representatives = set(space.classes())
            assert len(representatives) == space.class_count
            assert {space.canonical(arch) for arch in self._sampled(space)} <= representatives

    def test_encoding_is_one_hot_per_decision(self, space: SearchSpace) -> None:
        lengths = set()
        for arch in self._sampled(space):
            code = space.encode(arch)
            assert code.dtype == np.float32
            assert code.ndim == 1
            assert set(np.unique(code)) <= {0, 1}
            assert code.sum() == len(arch.genes), arch
            lengths.add(len(code))
        assert len(lengths) == 1

    def test_encoding_tells_architectures_apart(self, space: SearchSpace) -> None:
        archs = self._sampled(space)
        archs += [neighbor for arch in archs for neighbor in itertools.islice(space.neighbors(arch), 3)]
        assert len({space.encode(arch).tobytes() for arch in archs}) == len(set(archs))

    def test_drawing_is_svg(self, space: SearchSpace) -> None:
        for arch in self._sampled(space):
            picture = space.draw(arch)
            assert ElementTree.fromstring(picture).tag == _SVG
            assert picture._repr_svg_() == picture

    def test_archs_are_all_there_are(self, space: SearchSpace) -> None:
        """Each once and in the order of the genes, where the space is small enough to list."""
        if space.size <= _COUNTABLE:
            archs = list(space.archs())
            assert len(archs) == space.size
            assert archs == sorted(set(archs))

    def test_space_never_changes_itself(self, space: SearchSpace) -> None:
        """Told by its pickle, which also travels to worker processes."""
        before = pickle.dumps(space)
        self._use(space)
        assert pickle.dumps(space) == before

    def test_global_randomness_is_left_alone(self, space: SearchSpace) -> None:
        before = global_randomness()
        self._use(space)
        assert global_randomness() == before

    def _sampled(self, space: SearchSpace, seed: int = 0) -> list[Arch]:
        rng = np.random.default_rng(seed)
        return [space.sample(rng) for _ in range(self.samples)]

    def _use(self, space: SearchSpace) -> None:
        """Call everything a space offers."""
        rng = np.random.default_rng(2)
        for fact in ("name", "size", "class_count", "region"):
            getattr(space, fact)
        space.gene_names()
        space.choice_name(0, space.region.choices[0][0])
        arch = space.sample(rng)
        space.distance(arch, space.sample_from(space.region, rng))
        space.sample_class(rng)
        space.validate(arch)
        space.parse(space.format(arch))
        space.label(arch)
        space.mutate(arch, rng)
        list(space.neighbors(arch))
        space.canonical(arch)
        list(itertools.islice(space.classes(), self.samples))
        if space.size <= _COUNTABLE:
            next(space.archs())
        space.encode(arch)
        space.draw(arch)


def global_randomness() -> bytes:
    """Return the state of the generators that a whole process shares, to be compared with a later one."""
    return pickle.dumps((random.getstate(), np.random.get_state()))  # noqa: NPY002


def _assert_refused(space: SearchSpace, arch: Arch) -> None:
    _assert_raises(lambda: space.validate(arch), f"validate accepted {arch}")


def _assert_raises(call: Callable[[], object], otherwise: str) -> None:
    try:
        call()
    except UsageError:
        return
    raise AssertionError(otherwise)
