"""Widths and parameters of NAS-Bench-101's networks, from the graph of a module alone.

All graphs here are without dead edges: pruned, or as large as before but with the dead vertices isolated.
"""

from __future__ import annotations

from lnas.errors import UsageError, complaint
from lnas.spaces.nasbench101.graph import OPS, Module

STACKS = 3
KERNELS = {"conv3x3-bn-relu": 3, "conv1x1-bn-relu": 1}
"""Size of each convolution's kernel, by the name of the operation."""


def split_channels(channels: int, parts: int) -> list[int]:
    """Divide channels as evenly as can be; the first parts get the remainder.

    Example:
        >>> split_channels(128, 3)
        [43, 43, 42]
    """
    share, remainder = divmod(channels, parts)
    return [share + (part < remainder) for part in range(parts)]


def vertex_channels(module: Module, channels: int) -> dict[int, int]:
    """Return the width of every vertex but the input, whose width is that of what comes before.

    The inner vertices that feed the output share its channels; any other is as wide as the widest that it feeds.

    Args:
        module: A graph without dead edges.
        channels: Width of the output.

    Returns:
        Vertex -> width, ascending, without isolated vertices.

    Raises:
        UsageError: If there are fewer channels than vertices to share them.

    Source: `compute_vertex_channels` of google-research/nasbench (`nasbench/lib/model_builder.py`).

    Example:
        Vertex 1 feeds the output and vertex 2, which feeds the output too:

        >>> vertex_channels(Module(edges=(1, 0, 1, 0, 1, 1), operations=(0, 0)), 255)
        {1: 128, 2: 127, 3: 255}
    """
    output = module.vertices - 1
    sharing = [source for source, target in module.present if target == output and source]
    if len(sharing) > channels:
        call = f"vertex_channels({module}, channels={channels})"
        expected = f"channels >= {len(sharing)}, one for each vertex that feeds the output"
        raise UsageError(complaint(call, expected, channels, "Build a wider network."))
    widths = {output: channels}
    if sharing:
        widths |= zip(sharing, split_channels(channels, len(sharing)), strict=True)
    for source, target in reversed(module.present):
        if source and source not in sharing:
            widths[source] = max(widths.get(source, 0), widths[target])
    return dict(sorted(widths.items()))


def module_parameters(module: Module, c_in: int, c_out: int) -> int:
    """Count the trainable parameters of one module.

    Args:
        module: A graph without dead edges.
        c_in: Width of the input.
        c_out: Width of the output.
    """
    widths = vertex_channels(module, c_out)
    kernels = {vertex: KERNELS.get(OPS[operation]) for vertex, operation in enumerate(module.operations, start=1)}
    operations = sum(_conv_bn(widths[v], widths[v], size) for v, size in kernels.items() if size and v in widths)
    return operations + sum(_conv_bn(c_in, widths[target], 1) for source, target in module.present if source == 0)


def network_parameters(module: Module, num_classes: int = 10, channels: int = 128, cells: int = 3) -> int:
    """Count the trainable parameters of the network of a module; the defaults are the benchmark's.

    Equal to the benchmark's own numbers for all of its 423,624 modules.

    Args:
        module: A graph without dead edges.
        num_classes: Outputs of the classifier.
        channels: Width of the stem; it doubles from stack to stack.
        cells: Modules per stack.

    Example:
        The module that is nothing but an edge from input to output:

        >>> network_parameters(Module(edges=(1,), operations=()))
        882570
    """
    total, c_in = _conv_bn(3, channels, 3), channels
    for stack in range(STACKS):
        c_out = channels * 2**stack
        total += module_parameters(module, c_in, c_out) + (cells - 1) * module_parameters(module, c_out, c_out)
        c_in = c_out
    return total + (c_in + 1) * num_classes


def _conv_bn(c_in: int, c_out: int, kernel: int) -> int:
    """Count a convolution without bias, and an affine batch norm."""
    return c_out * (c_in * kernel**2 + 2)
