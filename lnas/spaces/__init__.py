"""Which architectures exist: parse, format, sample, mutate, draw. Torch-free."""

from lnas.spaces.base import SearchSpace
from lnas.spaces.catalogue import SPACES, read_arch
from lnas.spaces.darts.genotypes import GENOTYPES, published_genotype
from lnas.spaces.darts.space import DartsSpace
from lnas.spaces.nasbench101.oneshot import NasBench1Shot1Space
from lnas.spaces.nasbench101.space import NasBench101Space
from lnas.spaces.nats_size import NatsSizeSpace
from lnas.spaces.nats_topology import NatsTopologySpace
from lnas.spaces.nds import NdsResNetSpace, NdsResNeXtASpace
from lnas.spaces.product import Decision, ProductSpace

__all__ = [
    "GENOTYPES",
    "SPACES",
    "DartsSpace",
    "Decision",
    "NasBench1Shot1Space",
    "NasBench101Space",
    "NatsSizeSpace",
    "NatsTopologySpace",
    "NdsResNeXtASpace",
    "NdsResNetSpace",
    "ProductSpace",
    "SearchSpace",
    "published_genotype",
    "read_arch",
]
