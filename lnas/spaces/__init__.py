"""Which architectures exist: parse, format, sample, mutate, draw. Torch-free."""

from lnas.spaces.base import SearchSpace
from lnas.spaces.nats_topology import NatsTopologySpace

__all__ = ["NatsTopologySpace", "SearchSpace"]
