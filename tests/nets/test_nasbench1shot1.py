"""Networks of NAS-Bench-1Shot1: the same as NAS-Bench-101's, and mixtures over parents against their definition."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lnas.nets import build_net, build_supernet, softmax_weights, uniform_weights
from lnas.nets.nasbench1shot1 import NasBench1Shot1Net
from lnas.proxies.params import params
from lnas.spaces.nasbench101.oneshot import NasBench1Shot1Space
from lnas.types import Arch, Region

SPACES = {subspace: NasBench1Shot1Space(subspace) for subspace in (1, 2, 3)}
every_subspace = pytest.mark.parametrize("space", SPACES.values(), ids=lambda space: space.name)


def sampled(space: NasBench1Shot1Space, count: int, seed: int = 0) -> list[Arch]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def certain(region: Region, arch: Arch) -> list[Tensor]:
    """Return the mixture of one architecture."""
    return [
        torch.tensor([float(choice == gene) for choice in allowed])
        for gene, allowed in zip(arch.genes, region.choices, strict=True)
    ]


def doubled(region: Region, channels: int = 8, cells: int = 1) -> NasBench1Shot1Net:
    """Return a supernet in double precision whose batch norms are as after training."""
    torch.manual_seed(0)
    net = build_supernet(region, channels=channels, cells=cells, affine=True).double().eval()
    for tensor in net.state_dict().values():
        if tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
    return net


@every_subspace
def test_nets_are_those_of_nasbench101(space: NasBench1Shot1Space) -> None:
    images = torch.randn(2, 3, 16, 16)
    for arch in sampled(space, 4):
        net = build_net(arch, channels=10, cells=2).eval()
        same = build_net(space.to_nasbench101(arch), channels=10, cells=2).eval()
        same.load_state_dict(net.state_dict())
        with torch.no_grad():
            assert torch.equal(net(images), same(images)), arch


@every_subspace
def test_nets_have_as_many_parameters_as_those_of_nasbench101(space: NasBench1Shot1Space) -> None:
    with torch.device("meta"):
        for arch in sampled(space, 4):
            assert params(build_net(arch)) == params(build_net(space.to_nasbench101(arch)))


@pytest.mark.parametrize(("subspace", "width"), [(1, 16), (2, 8), (3, 16)])
def test_a_supernet_is_as_wide_as_the_widest_path(subspace: int, width: int) -> None:
    """In sub-space 2 two inner vertices or three feed the output, in the others one or two."""
    cell = build_supernet(SPACES[subspace], channels=16, cells=1).stacks[0][0]
    assert {len(vertex["conv1x1-bn-relu"].conv.weight) for vertex in cell.vertices.values()} == {width}
    assert list(cell.projections) == [*cell.vertices, "output"]


def test_a_region_without_the_input_among_the_outputs_parents_is_narrower() -> None:
    space = SPACES[1]
    region = space.region.replaced(2, (9,))
    cell = build_supernet(region, channels=16, cells=1).stacks[0][0]
    assert space.parents(Arch(space.name, (0, 0, 9, 0, 0, 0, 0)))[-1] == (3, 4)
    assert "output" not in cell.projections
    assert {len(vertex["conv1x1-bn-relu"].conv.weight) for vertex in cell.vertices.values()} == {8}


# --- mixtures


@st.composite
def regions_with_an_arch(draw: st.DrawFn) -> tuple[Region, Arch]:
    space = SPACES[draw(st.sampled_from(sorted(SPACES)))]
    choices = tuple(
        tuple(sorted(draw(st.sets(st.sampled_from(allowed), min_size=1)))) for allowed in space.region.choices
    )
    return Region(space.name, choices), Arch(space.name, tuple(draw(st.sampled_from(allowed)) for allowed in choices))


NARROW_CONSUMER = (
    Region("nasbench1shot1_2", ((0,), (0, 1), (0, 1, 2), (7,), (0,), (0,), (0,), (0,))),
    Arch("nasbench1shot1_2", (0, 0, 0, 7, 0, 0, 0, 0)),
)


@settings(deadline=None, max_examples=30)
@example(NARROW_CONSUMER, 5)
@given(regions_with_an_arch(), st.integers(5, 13))
def test_a_mixture_of_one_is_the_path_in_every_region_at_every_width(case: tuple[Region, Arch], channels: int) -> None:
    region, arch = case
    net, images = doubled(region, channels), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        mixed, path = net(images, weights=certain(region, arch)), net(images, arch)
    torch.testing.assert_close(mixed, path, rtol=1e-10, atol=1e-10)


def mixed_by_definition(
    cell: nn.Module, space: NasBench1Shot1Space, x: Tensor, weights: list[list[float]], channels: int
) -> Tensor:
    """Sum over all sets of parents of every vertex, with masks that are summed over all connectivities."""
    region, inner = space.region, space.vertices - 2
    archs = [
        Arch(space.name, (*connectivity, *[0] * inner)) for connectivity in itertools.product(*region.choices[:-inner])
    ]
    chances = [
        math.prod(vector[gene] for vector, gene in zip(weights, arch.genes[:-inner], strict=False)) for arch in archs
    ]
    parents = [space.parents(arch) for arch in archs]
    size = len(next(iter(cell.vertices["1"].parameters())))
    sharing = [[vertex for vertex in chosen[-1] if vertex] for chosen in parents]

    @functools.cache
    def value(vertex: int) -> Tensor:
        edges = [
            sum(chance for chance, chosen in zip(chances, parents, strict=True) if source in chosen[vertex])
            for source in range(vertex)
        ]
        total = edges[0] * cell.projections[str(vertex)](x, size)
        for source in range(1, vertex):
            total = total + edges[source] * value(source)
        mask = [
            sum(chance for chance, of in zip(chances, sharing, strict=True) if channel < channels // len(of))
            for channel in range(size)
        ]
        total = total * torch.tensor(mask, dtype=x.dtype)[:, None, None]
        operations = zip(weights[vertex - 1 - inner], cell.vertices[str(vertex)].values(), strict=True)
        return sum(weight * operation(total) for weight, operation in operations)

    projected, output = cell.projections["output"](x, channels), 0
    for chance, chosen, of in zip(chances, parents, sharing, strict=True):
        output = output + chance * torch.cat([value(vertex)[:, : channels // len(of)] for vertex in of], 1)
        output = output + chance * projected if 0 in chosen[-1] else output
    return output


@pytest.mark.parametrize("subspace", [1, 2])
def test_a_mixture_follows_its_definition(subspace: int) -> None:
    """With widths that divide evenly, so that all vertices of a path are equally wide."""
    space = SPACES[subspace]
    net = doubled(space.region, channels=12)
    weights = softmax_weights([torch.randn(len(allowed), dtype=torch.float64) for allowed in space.region.choices])
    seen: list[tuple[Tensor, Tensor]] = []
    cell = net.stacks[0][0]
    cell.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0], output)))
    with torch.no_grad():
        net(torch.randn(2, 3, 8, 8, dtype=torch.float64), weights=weights)
        (x, output), *_ = seen
        expected = mixed_by_definition(cell, space, x, [vector.tolist() for vector in weights], 12)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)


@every_subspace
def test_gradients_reach_the_weights_of_every_decision(space: NasBench1Shot1Space) -> None:
    logits = [torch.zeros(len(allowed), requires_grad=True) for allowed in space.region.choices]
    net = build_supernet(space, channels=8, cells=1)
    net(torch.randn(4, 3, 8, 8), weights=softmax_weights(logits)).square().sum().backward()
    for name, vector in zip(space.gene_names(), logits, strict=True):
        assert vector.grad is not None, name
        assert vector.grad.abs().sum() > 0, name


def test_a_mixture_of_operations_is_no_mixture_of_widths() -> None:
    """With all parents decided, the stand-alone widths remain."""
    space = SPACES[1]
    (arch,) = sampled(space, 1)
    region = Region(space.name, (*((gene,) for gene in arch.genes[:3]), *space.region.choices[3:]))
    net = doubled(region)
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(net(images, weights=certain(region, arch)), net(images, arch), rtol=1e-10, atol=1e-10)
    assert net(images, weights=uniform_weights(region)).shape == (2, 10)
