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
    """Show an architecture: its notation, its twins, the size of its network, and its drawing as an SVG file.

    Args:
        arch: SPACE:GENES, the notation of a benchmark, or a published genotype such as DARTS_V2.
        space: Where it is from; needed for a space of your own.
        net: Builds its network: options of the benchmark's own, or a callable of yours.
        num_classes: Outputs of the network.
        pixels: Height and width of the images that multiply-accumulates are counted for.
        output: Where the drawing goes.
        quiet: Print errors only.

    Raises:
        UsageError: If no space can read the architecture, or OUTPUT does not end in .svg.
    """
    import torch

    from lnas.nets.complexity import count_macs
    from lnas.proxies import params

    if Path(output).suffix != ".svg":
        raise UsageError(complaint(f"output={output!r}", "a file name ending in .svg", output, "Example: arch.svg."))
    display = Display(quiet)
    found, parsed = read_arch(arch, space)
    with torch.device("meta"):
        built = net(parsed, num_classes)
    representative = found.canonical(parsed)
    twin = "itself" if representative == parsed else found.format(representative)
    display.say(f"space                {found.name}")
    display.say(f"identity             {parsed}")
    display.say(f"notation             {found.format(parsed)}")
    display.say(f"first of its twins   {twin}")
    display.say(f"parameters           {int(params(built)):,} with {num_classes} classes")
    display.say(f"multiply-accumulates {count_macs(built, pixels):,} for {pixels} x {pixels} pixels")
    write_whole(Path(output), found.draw(parsed).encode())
    display.say(f"drawing              {output}")
