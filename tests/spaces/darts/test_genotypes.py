from __future__ import annotations

import pytest

from lnas.errors import UsageError
from lnas.spaces.darts.genotypes import GENOTYPES, published_genotype
from lnas.spaces.darts.space import DartsSpace

SPACE = DartsSpace()


@pytest.mark.parametrize("name", GENOTYPES)
def test_published_genotypes_are_of_the_space(name):
    arch = published_genotype(name)
    SPACE.validate(arch)
    assert SPACE.parse(str(GENOTYPES[name])) == arch


def test_no_two_are_the_same():
    assert len({SPACE.canonical(published_genotype(name)) for name in GENOTYPES}) == len(GENOTYPES)


def test_each_names_its_source():
    for name, genotype in GENOTYPES.items():
        repository, _, place = genotype.source.partition(": ")
        assert len(repository.split("/")) == 2, name
        assert ".py, " in place, name


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"published_genotype\('DARTS'\): unknown genotype 'DARTS'. Did you mean"):
        published_genotype("DARTS")
