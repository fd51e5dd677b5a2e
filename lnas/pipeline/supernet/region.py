"""The part of a space that some operations leave."""

from __future__ import annotations

from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace
from lnas.types import Region


def allowed_region(space: SearchSpace, operations: list[str] | None) -> Region:
    """Return the part of a space that some operations, or other choices, leave.

    Args:
        space: Of independent decisions.
        operations: Names of choices; None allows all.

    Raises:
        UsageError: If a name is none of the space, or a decision has no choice left.
    """
    region = space.region
    if operations is None:
        return region
    names = [[space.choice_name(k, choice) for choice in allowed] for k, allowed in enumerate(region.choices)]
    known = dict.fromkeys(name for own in names for name in own)
    for name in operations:
        if name not in known:
            raise UsageError(complaint("operations", f"some of {', '.join(known)}", name, "Choose among these."))
    left = [
        tuple(choice for choice, name in zip(allowed, own, strict=True) if name in operations)
        for allowed, own in zip(region.choices, names, strict=True)
    ]
    for k, allowed in enumerate(left):
        if not allowed:
            expected = f"a choice for {space.gene_names()[k]}: {', '.join(names[k])}"
            raise UsageError(complaint("operations", expected, operations, "Allow one of them."))
    return Region(region.space, tuple(left))
