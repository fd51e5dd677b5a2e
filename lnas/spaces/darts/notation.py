"""DARTS' own form of an architecture: a genotype, which lists the inputs of each node of two cells."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple, TypeGuard, TypeVar

from lnas.errors import UsageError, complaint
from lnas.reading import read_text
from lnas.spaces.darts.cells import INPUTS, Cell, edge_ends, edges_into

NODES = 4
EDGES = edge_ends(NODES)
CELLS = ("normal", "reduce")
OPS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
OUTPUTS = list(range(INPUTS, INPUTS + NODES))

_T = TypeVar("_T")
_SHAPE = "Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5], reduce=[...], reduce_concat=...)"


class Input(NamedTuple):
    """One of the two inputs of a node: what is done to which earlier node."""

    op: int
    source: int


def split_cells(genes: tuple[_T, ...]) -> tuple[tuple[_T, ...], tuple[_T, ...]]:
    """Split what there is one of per gene into the normal cell's and the reduction cell's."""
    return genes[: len(EDGES)], genes[len(EDGES) :]


def inputs_of(cell: Cell) -> list[list[Input]]:
    """Return the inputs of each intermediate node, by source."""
    return [[Input(cell[edge], EDGES[edge][0]) for edge in edges if cell[edge]] for edges in edges_into(NODES)]


def parse_genotype(text: str, call: str) -> tuple[Cell, Cell]:
    """Read the two cells of `Genotype(normal=..., normal_concat=..., reduce=..., reduce_concat=...)`.

    Args:
        text: As Python would print or read it; nothing is evaluated but literals and ranges.
        call: The call to blame in errors.

    Raises:
        UsageError: Naming the part that is not as in DARTS.
    """
    fields = _read_fields(text, call)
    for cell in CELLS:
        outputs = fields[f"{cell}_concat"]
        if outputs not in (OUTPUTS, tuple(OUTPUTS), range(INPUTS, INPUTS + NODES)):
            expected = f"{cell}_concat={OUTPUTS}, the output of all four nodes"
            raise UsageError(complaint(call, expected, outputs, "Cells with other outputs are of another space."))
    normal, reduce = (_read_cell(fields[cell], cell, call) for cell in CELLS)
    return normal, reduce


def format_genotype(normal: Cell, reduce: Cell) -> str:
    """Write two cells, the inputs of each node by source."""
    fields = []
    for name, cell in zip(CELLS, (normal, reduce), strict=True):
        entries = [(OPS[op], source) for node in inputs_of(cell) for op, source in node]
        fields.append(f"{name}={entries}, {name}_concat={OUTPUTS}")
    return f"Genotype({', '.join(fields)})"


def _read_fields(text: str, call: str) -> dict[str, Any]:
    """Return the arguments of the text's one call, which are literals or ranges."""
    names = {f"{cell}{suffix}" for cell in CELLS for suffix in ("", "_concat")}
    written = read_text(call, text, f"Example: `{_SHAPE}`.")
    try:
        node = ast.parse(written, mode="eval").body
        if not _calls(node, "Genotype") or node.args:
            raise ValueError("not a genotype")
        fields = {str(keyword.arg): _read_value(keyword.value) for keyword in node.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise UsageError(complaint(call, f"a genotype `{_SHAPE}`", text, "See lnas.spaces.darts.genotypes.")) from error
    if set(fields) != names or len(node.keywords) != len(names):
        raise UsageError(complaint(call, f"the fields {sorted(names)}", list(fields), f"Example: `{_SHAPE}`."))
    return fields


def _read_value(node: ast.expr) -> Any:
    """Evaluate a literal, or a range of literals."""
    if _calls(node, "range") and not node.keywords:
        return range(*map(ast.literal_eval, node.args))
    return ast.literal_eval(node)


def _calls(node: ast.expr, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _read_cell(entries: Any, cell: str, call: str) -> Cell:
    if not isinstance(entries, list | tuple) or len(entries) != 2 * NODES:
        expected = f"{2 * NODES} pairs (operation, source) in {cell}"
        raise UsageError(complaint(call, expected, entries, "Two for each intermediate node."))
    genes = [0] * len(EDGES)
    for k, entry in enumerate(entries):
        target = INPUTS + k // 2
        op, source = _read_entry(entry, target, cell, call)
        edge = EDGES.index((source, target))
        if genes[edge]:
            expected = f"two sources of node {target} in {cell}"
            raise UsageError(complaint(call, expected, (source, source), "Take another earlier node."))
        genes[edge] = op
    return tuple(genes)


def _read_entry(entry: Any, target: int, cell: str, call: str) -> Input:
    hint = f"Example: ('sep_conv_3x3', {target - 1})."
    if not isinstance(entry, list | tuple) or len(entry) != 2:
        raise UsageError(complaint(call, f"pairs (operation, source) in {cell}", entry, hint))
    op, source = entry
    if op not in OPS[1:]:
        raise UsageError(complaint(call, f"operations of {', '.join(OPS[1:])} in {cell}", op, hint))
    if type(source) is not int or not 0 <= source < target:
        raise UsageError(complaint(call, f"a source of 0..{target - 1} for node {target} in {cell}", source, hint))
    return Input(OPS.index(op), source)
