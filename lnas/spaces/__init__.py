"""Which architectures exist: parse, format, sample, mutate, draw. Torch-free."""

from lnas.spaces.base import SearchSpace
from lnas.spaces.nats_topology import NatsTopologySpace
from lnas.spaces.product import Decision, ProductSpace

__all__ = ["Decision", "NatsTopologySpace", "ProductSpace", "SearchSpace"]
