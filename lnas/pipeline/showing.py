"""`lnas show`: one architecture, drawn and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lnas.errors import UsageError, complaint
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.display import Display
from lnas.spaces import SearchSpace, read_arch
from lnas.store import write_whole
from lnas.types import Arch


def show(
    arch: str,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    num_classes: int = 10,
    pixels: int = 32,
    output: str = "arch.svg",
    quiet: bool = False,
) -> None:
    """Show an architecture: its notation, its canonical twin, the size of its network, and its drawing as an SVG file.

    Args:
        arch: SPACE:GENES, the notation of a benchmark, or a published genotype such as DARTS_V2.
        space: Where it is from; needed for a space of your own.
        net: Builds its network: options of the benchmark's own, or a callable of yours.
        num_classes: Outputs of the network.
        pixels: Height and width of the images that multiply-accumulates are counted for.
        output: Where the drawing goes.
        quiet: Print errors only.

    Raises:
        UsageError: If no space can read the architecture, a number is not positive, or OUTPUT does not end in .svg.
    """
    import torch

    from lnas.nets.complexity import count_macs
    from lnas.proxies.params import params

    for option, number in (("num_classes", num_classes), ("pixels", pixels)):
        if number < 1:
            raise UsageError(complaint(f"{option}={number}", f"{option} >= 1", number, f"Example: {option}=10."))
    if Path(output).suffix != ".svg":
        raise UsageError(complaint(f"output={output!r}", "a file name ending in .svg", output, "Example: arch.svg."))
    found, parsed = read_arch(arch, space)
    with torch.device("meta"):
        built = net(parsed, num_classes)
    twin = found.canonical(parsed)
    facts = {
        "space": found.name,
        "identity": parsed,
        "notation": found.format(parsed),
        "canonical twin": "itself" if twin == parsed else twin,
        "parameters": f"{int(params(built)):,} with {num_classes} classes",
        "multiply-accumulates": f"{count_macs(built, pixels):,} for {pixels} x {pixels} pixels",
        "drawing": output,
    }
    write_whole(Path(output), found.draw(parsed).encode())
    display = Display(quiet)
    for name, fact in facts.items():
        display.say(f"{name:<20} {fact}")
