"""Networks of NAS-Bench-101 and of its one-shot sub-spaces: the table, the laws of paths, a slow second forward."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lnas.errors import UsageError
from lnas.nets import build_net, build_supernet, uniform_weights
from lnas.nets.module_channels import network_parameters
from lnas.nets.nasbench101 import NasBench101Net
from lnas.proxies.params import params
from lnas.spaces.base import SearchSpace
from lnas.spaces.nasbench101.graph import OPS, Module, embed, pairs, prune
from lnas.spaces.nasbench101.oneshot import NasBench1Shot1Space
from lnas.spaces.nasbench101.space import NasBench101Space
from lnas.types import Arch, Region

SPACE = NasBench101Space()
SPACES = (SPACE, *(NasBench1Shot1Space(subspace) for subspace in (1, 2, 3)))
CONV3, CONV1, POOL = range(3)
REFERENCE_CHANNELS = 11
every_space = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


def sampled(space: SearchSpace, count: int, seed: int = 0) -> list[Arch]:
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(count)]


def cell(edges: set[tuple[int, int]], operations: tuple[int, ...] = (CONV3,) * 5) -> Arch:
    return Arch("nasbench101", (*(int(pair in edges) for pair in pairs(7)), *operations))


def matrix_of(space: SearchSpace, arch: Arch) -> np.ndarray:
    """Return the adjacency matrix of all vertices, dead ones too."""
    if isinstance(space, NasBench101Space):
        return np.array([[x < y and arch.genes[x + y * (y - 1) // 2] for y in range(7)] for x in range(7)], dtype=int)
    parents = space.parents(arch)
    return np.array([[int(x in into) for into in parents] for x in range(len(parents))])


def module_of(space: SearchSpace, arch: Arch) -> Module:
    matrix = matrix_of(space, arch)
    edges = tuple(int(matrix[pair]) for pair in pairs(len(matrix)))
    return prune(Module(edges, arch.genes[2 - len(matrix) :]))


def randomized(net: NasBench101Net) -> NasBench101Net:
    """Give batch norms statistics, scales and shifts as after training, and return the net in eval mode."""
    for tensor in net.state_dict().values():
        if tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
    return net.eval()


@pytest.fixture(scope="module")
def supernets() -> dict[str, NasBench101Net]:
    torch.manual_seed(0)
    return {space.name: randomized(build_supernet(space, channels=9, cells=2, affine=True)) for space in SPACES}


# --- sizes


@pytest.mark.parametrize(
    ("arch", "parameters"),
    [
        (cell({(0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6)}, (1, 0, 0, 0, 2)), 2_694_282),
        (cell({(0, 1), (0, 6), (1, 2), (2, 6)}), 20_346_506),
        (cell({(0, 6)}), 882_570),
        (cell({(0, 1), (0, 2), (0, 3), (0, 6), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)}, (0, 0, 1, 2, 1)), 24_169_098),
    ],
    ids=["inception", "resnet", "identity", "nine edges"],
)
def test_nets_have_their_published_size(arch: Arch, parameters: int) -> None:
    with torch.device("meta"):
        assert params(build_net(arch)) == parameters


@pytest.mark.data
def test_parameters_equal_the_benchmark_table(data_root: Path) -> None:
    columns = ("num_vertices", "adj_bits", "ops", "params")
    rows = np.random.default_rng(0).choice(423_624, size=100, replace=False)
    with np.load(data_root / "nb101" / "nb101_full.npz") as table:
        cells = list(zip(*(table[column][rows].tolist() for column in columns), strict=True))
    for vertices, bits, operations, parameters in cells:
        edges = tuple(bits >> bit & 1 for bit in range(len(pairs(vertices))))
        module = embed(Module(edges, tuple(operations[: vertices - 2])))
        with torch.device("meta"):
            assert params(build_net(Arch("nasbench101", (*module.edges, *module.operations)))) == parameters


@every_space
def test_parameters_equal_the_shape_formula_at_other_sizes(space: SearchSpace) -> None:
    for arch, classes, channels, cells in zip(
        sampled(space, 6), (2, 7, 10) * 2, (5, 8, 13) * 2, (1, 2) * 3, strict=True
    ):
        with torch.device("meta"):
            built = params(build_net(arch, classes, channels, cells))
        assert built == network_parameters(module_of(space, arch), classes, channels, cells)


# --- paths


@every_space
def test_a_path_is_its_subnet_and_its_stand_alone_net_bit_for_bit(
    supernets: dict[str, NasBench101Net], space: SearchSpace
) -> None:
    supernet, images = supernets[space.name], torch.randn(4, 3, 16, 16)
    for arch in sampled(space, 6, seed=1):
        subnet = supernet.subnet(arch)
        fresh = build_net(arch, channels=9, cells=2).eval()
        fresh.load_state_dict(subnet.state_dict())
        with torch.no_grad():
            logits = supernet(images, arch)
            assert torch.equal(logits, subnet(images)), arch
            assert torch.equal(logits, fresh(images)), arch


@every_space
@pytest.mark.parametrize("training", [False, True])
def test_gradients_reach_exactly_the_parameters_of_the_path(space: SearchSpace, training: bool) -> None:
    torch.manual_seed(0)
    supernet = build_supernet(space, channels=8, cells=1, affine=True).train(training)
    for arch in sampled(space, 3):
        supernet.zero_grad(set_to_none=True)
        supernet(torch.randn(4, 3, 16, 16), arch).square().sum().backward()
        sizes = {name: part.shape for name, part in supernet.subnet(arch).named_parameters()}
        reached = {name: weight.grad for name, weight in supernet.named_parameters() if weight.grad is not None}
        assert set(reached) == set(sizes)
        for name, gradient in reached.items():
            part = tuple(slice(size) for size in sizes[name])
            assert gradient[part].abs().sum() > 0, name
            gradient[part] = 0
            assert not gradient.any(), name


@every_space
def test_stages_have_features_by_name(supernets: dict[str, NasBench101Net], space: SearchSpace) -> None:
    (arch,), images = sampled(space, 1), torch.randn(2, 3, 16, 16)
    supernet = supernets[space.name]
    features = supernet.stage_features(images, list(supernet.stages), arch)
    assert {name: tuple(x.shape) for name, x in features.items()} == {
        "stem": (2, 9, 16, 16),
        "stage1": (2, 9, 16, 16),
        "stage2": (2, 18, 8, 8),
        "stage3": (2, 36, 4, 4),
        "head": (2, 36),
    }
    alone = supernet.subnet(arch).stage_features(images, ["stage2"])
    assert torch.equal(alone["stage2"], features["stage2"])


# --- a second forward pass, written out from the published description


def conv_bn_relu(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight = state[f"{name}.conv.weight"]
    x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
    mean, var, scale, shift = (
        state[f"{name}.norm.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
    )
    return ((x - mean) / (var + 1e-5).sqrt() * scale + shift).relu()


def reference_cell(
    state: dict[str, Tensor], name: str, x: Tensor, matrix: np.ndarray, genes: tuple[int, ...]
) -> Tensor:
    """Compute the output from its parents, those from theirs, and so on."""
    output = len(matrix) - 1
    reach = np.linalg.matrix_power(np.eye(output + 1, dtype=int) + matrix, output) > 0
    edge = {(s, t) for s, t in zip(*np.nonzero(matrix), strict=True) if reach[0, s] and reach[t, output]}
    c_out = REFERENCE_CHANNELS * 2 ** int(name.split(".")[1])
    feeding = sorted(s for s, t in edge if t == output and s)

    @functools.cache
    def width(vertex: int) -> int:
        if vertex in feeding:
            return c_out // len(feeding) + (feeding.index(vertex) < c_out % len(feeding))
        return max(width(t) for s, t in edge if s == vertex)

    @functools.cache
    def value(vertex: int) -> Tensor:
        total = sum(value(s)[:, : width(vertex)] for s in range(1, vertex) if (s, vertex) in edge)
        if (0, vertex) in edge:
            total = total + conv_bn_relu(state, f"{name}.projections.{vertex}", x)
        label = OPS[genes[vertex - 1]]
        if label == "maxpool3x3":
            return functional.max_pool2d(total, 3, stride=1, padding=1)
        return conv_bn_relu(state, f"{name}.vertices.{vertex}.{label}", total)

    projected = conv_bn_relu(state, f"{name}.projections.output", x) if (0, output) in edge else 0
    return torch.cat([value(vertex) for vertex in feeding], 1) + projected if feeding else projected


@every_space
def test_logits_equal_those_of_a_second_forward_pass(space: SearchSpace) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    for arch in [*sampled(space, 6), *([cell({(0, 6)})] if space is SPACE else [])]:
        net = randomized(build_net(arch, channels=REFERENCE_CHANNELS, cells=2).double())
        matrix = matrix_of(space, arch)
        x = net.stem(images)
        for stack in range(3):
            x = functional.max_pool2d(x, 2) if stack else x
            for number in range(2):
                x = reference_cell(
                    net.state_dict(), f"stacks.{stack}.{number}", x, matrix, arch.genes[2 - len(matrix) :]
                )
        expected = x.mean((2, 3)) @ net.classifier.weight.T + net.classifier.bias
        torch.testing.assert_close(net(images), expected, rtol=1e-10, atol=1e-10)


# --- what has modules, and of what width


def test_dead_vertices_have_no_modules_and_live_ones_keep_their_numbers() -> None:
    """Vertex 1 is never fed, and vertex 4 leads nowhere."""
    arch = cell({(0, 2), (1, 3), (2, 3), (2, 4), (3, 6), (0, 6)}, (CONV3, CONV1, CONV3, CONV3, POOL))
    net = build_net(arch, channels=8, cells=1)
    assert {name.split(".conv.")[0] for name, _ in net.stacks[0][0].named_parameters() if ".conv." in name} == {
        "vertices.2.conv1x1-bn-relu",
        "vertices.3.conv3x3-bn-relu",
        "projections.2",
        "projections.output",
    }


def test_dead_edges_change_nothing() -> None:
    live = {(0, 2), (2, 3), (3, 6)}
    nets = [build_net(cell(edges), channels=8, cells=1).eval() for edges in (live, live | {(1, 3), (2, 4)})]
    nets[1].load_state_dict(nets[0].state_dict())
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(nets[0](images), nets[1](images))


def test_a_supernet_has_every_operation_at_the_width_of_the_output(supernets: dict[str, NasBench101Net]) -> None:
    last = supernets["nasbench101"].stacks[2][1]
    assert list(last.vertices) == ["1", "2", "3", "4", "5"]
    assert list(last.projections) == ["1", "2", "3", "4", "5", "output"]
    for vertex in last.vertices.values():
        assert tuple(vertex) == OPS
        assert tuple(vertex["conv3x3-bn-relu"].conv.weight.shape) == (36, 36, 3, 3)


def test_a_region_with_all_edges_decided_has_exact_widths_and_mixes_operations() -> None:
    """Two vertices side by side, each with the mean of its operations in the uniform mixture."""
    arch = cell({(0, 1), (0, 2), (1, 6), (2, 6)})
    region = Region("nasbench101", (*((gene,) for gene in arch.genes[:21]), *[(0, 1, 2)] * 5))
    net = build_supernet(region, channels=8, cells=1).double().eval()
    one = net.stacks[0][0]
    assert [tuple(weight.shape) for weight in one.vertices["1"].parameters()] == [(4, 4, 3, 3), (4, 4, 1, 1)]
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    x = net.stem(images)
    halves = []
    for vertex in ("1", "2"):
        summed = one.projections[vertex](x, 4)
        halves.append(sum(operation(summed) for operation in one.vertices[vertex].values()) / 3)
    weights = [vector.double() for vector in (torch.ones(len(allowed)) / len(allowed) for allowed in region.choices)]
    mixed = []
    one.register_forward_hook(lambda module, inputs, output: mixed.append(output))
    net(images, weights=weights)
    torch.testing.assert_close(mixed[0], torch.cat(halves, 1), rtol=1e-7, atol=1e-7)


def test_odd_sizes_are_pooled_as_the_benchmark_pads_them() -> None:
    net = build_net(cell({(0, 6)}), channels=8, cells=1).eval()
    features = net.stage_features(torch.randn(1, 3, 9, 9), ["stage2", "stage3"])
    assert [tuple(x.shape[2:]) for x in features.values()] == [(5, 5), (3, 3)]


@pytest.mark.parametrize(("image_size", "resolution"), [(64, 32), (224, 8)])
def test_stems_for_larger_images(image_size: int, resolution: int) -> None:
    net = build_net(cell({(0, 6)}), channels=8, cells=1, image_size=image_size)
    features = net.stage_features(torch.randn(2, 3, 64, 64), ["stem"])["stem"]
    assert features.shape == (2, 8, resolution, resolution)
    assert features.min() == 0


def test_batch_norms_have_the_momentum_of_the_benchmark() -> None:
    norms = [
        module
        for module in build_net(cell({(0, 1), (1, 6)}), channels=8).modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    assert len(norms) == 1 + 9 * 2
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.003, 1e-5)}


# --- what is refused


def test_a_mixture_over_edges_is_refused(supernets: dict[str, NasBench101Net]) -> None:
    net = supernets["nasbench101"]
    with pytest.raises(UsageError, match=r"Widths depend on the graph.* NasBench1Shot1Space has mixtures"):
        net(torch.randn(1, 3, 8, 8), weights=uniform_weights(net.region))


def test_a_cell_without_a_path_is_refused() -> None:
    with pytest.raises(UsageError, match="expected a path from the input to the output"):
        build_net(cell({(0, 1), (2, 6)}))


def test_too_few_channels_are_refused() -> None:
    wide = {(0, vertex) for vertex in range(1, 6)} | {(vertex, 6) for vertex in range(1, 5)}
    build_net(cell(wide), channels=4, cells=1)
    with pytest.raises(UsageError, match="channels >= 4, one for each vertex that feeds the output, got 3"):
        build_net(cell(wide), channels=3, cells=1)
    supernet = build_supernet(SPACE, channels=3, cells=1)
    assert supernet(torch.randn(2, 3, 8, 8), cell({(0, 1), (1, 6)})).shape == (2, 10)
    with pytest.raises(UsageError, match="channels >= 4, one for each vertex that feeds the output, got 3"):
        supernet(torch.randn(2, 3, 8, 8), cell(wide))
