"""Two of the network design spaces (NDS) on CIFAR-10: residual nets of three stages, basic and bottleneck blocks."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, NamedTuple

from lnas.errors import UsageError, complaint, unknown_name
from lnas.reading import read_json_object
from lnas.spaces.drawing import Stage, Svg, draw_stages
from lnas.spaces.product import Decision, ProductSpace
from lnas.types import Arch

STAGES = 3
STRIDES = (1, 2, 2)
RESNET_DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
RESNET_WIDTHS = (16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256)
RESNEXT_DEPTHS = (1, 2, 4, 8, 16)
RESNEXT_WIDTHS = (16, 32, 64, 128, 256)
RESNEXT_RATIOS = (0.25, 0.5, 1.0)
RESNEXT_GROUPS = (1, 2, 4)


class Field(NamedTuple):
    """What is decided once per stage: its key in the published records, and what these say of the stem."""

    key: str
    name: str
    choices: tuple[float, ...]
    stem: float


class NdsSpace(ProductSpace):
    """Stages that differ in the same few numbers. The genes go field by field, and within a field stage by stage.

    The notation is the field `net` of the published records as JSON: a list per field, of which the first entry is the
    stem's and the same in all of them, and the strides `ss`. `parse` also takes the `block_type` of the records and
    fields that these leave empty.
    """

    @property
    @abstractmethod
    def block_type(self) -> str:
        """How the records' `block_type` begins."""

    @property
    @abstractmethod
    def fields(self) -> tuple[Field, ...]:
        """The fields, in the order of the genes."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(
            Decision(f"{field.name} of stage {stage}", tuple(map(str, field.choices)))
            for field in self.fields
            for stage in range(1, STAGES + 1)
        )

    def depths(self, arch: Arch) -> tuple[int, ...]:
        """Return the number of blocks of each stage."""
        return self.values(arch, "ds")

    def widths(self, arch: Arch) -> tuple[int, ...]:
        """Return the width of each stage."""
        return self.values(arch, "ws")

    def values(self, arch: Arch, key: str) -> tuple[Any, ...]:
        """Return what was chosen for each stage, by the key of the field."""
        self.validate(arch)
        keys = [field.key for field in self.fields]
        if key not in keys:
            raise UsageError(f"space {self.name!r}: {unknown_name('field', key, keys)}")
        position = keys.index(key)
        genes = arch.genes[STAGES * position : STAGES * (position + 1)]
        return tuple(self.fields[position].choices[gene] for gene in genes)

    def parse(self, text: str) -> Arch:
        call, keys = self._call(text), (*(field.key for field in self.fields), "ss")
        record = read_json_object(call, text, keys, self._example(), optional=("block_type",))
        self._require_frame(record, text)
        genes: list[int] = []
        for field in self.fields:
            genes += self._genes(field, record[field.key], text)
        return Arch(self.name, tuple(genes))

    def format(self, arch: Arch) -> str:
        lists: dict[str, list[float]] = {
            field.key: [field.stem, *self.values(arch, field.key)] for field in self.fields
        }
        return json.dumps(lists | {"ss": [1, *STRIDES]})

    def draw(self, arch: Arch) -> Svg:
        return draw_stages(self._stages(arch), title=self.format(arch), widest=RESNET_WIDTHS[-1])

    def _stages(self, arch: Arch) -> list[Stage]:
        pairs = zip(self.widths(arch), self.depths(arch), strict=True)
        return [Stage(f"stage {number}", width, depth) for number, (width, depth) in enumerate(pairs, start=1)]

    def _require_frame(self, record: dict[str, Any], text: str) -> None:
        """Refuse what is not of this space, but for the fields."""
        if not str(record.get("block_type", self.block_type)).startswith(self.block_type):
            raise self._refusal(text, f"a block_type that begins with {self.block_type!r}", record["block_type"])
        strides = [1, *STRIDES]
        if repr(record["ss"]) != repr(strides):  # as text, in which True is not 1
            raise self._refusal(text, f"'ss' to be {strides}, the strides of stem and stages", record["ss"])

    def _genes(self, field: Field, given: object, text: str) -> list[int]:
        if not isinstance(given, list) or len(given) != STAGES + 1:
            raise self._refusal(text, f"{field.key!r} to be a list: {field.name} of stem, of stage 1, 2, 3", given)
        if type(given[0]) is bool or given[0] != field.stem:
            raise self._refusal(text, f"{field.key!r} to begin with {field.stem}, the stem's", given[0])
        for stage, value in enumerate(given[1:], start=1):
            if type(value) is bool or value not in field.choices:
                expected = f"a {field.name} of stage {stage} in {', '.join(map(str, field.choices))}"
                raise self._refusal(text, expected, value)
        return [field.choices.index(value) for value in given[1:]]

    def _refusal(self, text: str, expected: str, got: object) -> UsageError:
        return UsageError(complaint(self._call(text), expected, got, self._example()))

    def _call(self, text: str) -> str:
        return f"{type(self).__name__}.parse({text!r})"

    def _example(self) -> str:
        largest = Arch(self.name, tuple(len(decision.choices) - 1 for decision in self.decisions))
        return f"Example: {self.format(largest)}."


class NdsResNetSpace(NdsSpace):
    """Nets of basic residual blocks: depths and widths of three stages, 1,259,712 in all.

    Genes 0 to 2 are the depths, as indices into 1, 2, 3, 4, 6, 8, 12, 16, 24, genes 3 to 5 the widths, as indices into
    16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256.

    Source: Radosavovic et al. 2019 (On Network Design Spaces for Visual Recognition).

    Example:
        >>> space = NdsResNetSpace()
        >>> arch = space.parse('{"ds": [1, 2, 3, 4], "ws": [16, 32, 64, 128], "ss": [1, 1, 2, 2]}')
        >>> arch.genes, space.depths(arch), space.widths(arch)
        ((1, 2, 3, 2, 5, 8), (2, 3, 4), (32, 64, 128))
    """

    name = "nds_resnet"
    block_type = "res_basic"
    fields = (Field("ds", "depth", RESNET_DEPTHS, 1), Field("ws", "width", RESNET_WIDTHS, 16))


class NdsResNeXtASpace(NdsSpace):
    """Nets of bottleneck blocks with grouped convolutions: 11,390,625, "ResNeXt-A" in the paper.

    Genes 0 to 2 are the depths of the three stages, as indices into 1, 2, 4, 8, 16, genes 3 to 5 the widths, as indices
    into 16, 32, 64, 128, 256, genes 6 to 8 the ratios of bottleneck width to width, as indices into 0.25, 0.5, 1, and
    genes 9 to 11 the numbers of groups, as indices into 1, 2, 4. Every combination is a network: the narrowest
    bottleneck has four channels, and all widths are multiples of four.

    Source: Radosavovic et al. 2019 (On Network Design Spaces for Visual Recognition).

    Deviation: the records hold numbers of groups (`num_gs`). The released code of NASWOT hands them to a network that
    takes widths of groups, and so builds other networks than were trained.

    Example:
        >>> space = NdsResNeXtASpace()
        >>> arch = space.parse(
        ...     '{"ds": [1, 2, 4, 8], "ws": [16, 64, 128, 256], "bot_muls": [0.0, 0.5, 0.25, 1.0], '
        ...     '"num_gs": [1, 2, 4, 1], "ss": [1, 1, 2, 2]}'
        ... )
        >>> space.bottleneck_widths(arch), space.groups(arch)
        ((32, 32, 256), (2, 4, 1))
    """

    name = "nds_resnext_a"
    block_type = "res_bottleneck"
    fields = (
        Field("ds", "depth", RESNEXT_DEPTHS, 1),
        Field("ws", "width", RESNEXT_WIDTHS, 16),
        Field("bot_muls", "bottleneck ratio", RESNEXT_RATIOS, 0.0),
        Field("num_gs", "number of groups", RESNEXT_GROUPS, 1),
    )

    def ratios(self, arch: Arch) -> tuple[float, ...]:
        """Return bottleneck width over width of each stage."""
        return self.values(arch, "bot_muls")

    def groups(self, arch: Arch) -> tuple[int, ...]:
        """Return the number of groups of each stage's 3x3 convolutions."""
        return self.values(arch, "num_gs")

    def bottleneck_widths(self, arch: Arch) -> tuple[int, ...]:
        """Return the width inside the blocks of each stage."""
        return tuple(round(width * ratio) for width, ratio in zip(self.widths(arch), self.ratios(arch), strict=True))

    def _stages(self, arch: Arch) -> list[Stage]:
        notes = zip(super()._stages(arch), self.ratios(arch), self.groups(arch), strict=True)
        return [stage._replace(notes=(f"ratio {ratio:g}", f"groups {groups}")) for stage, ratio, groups in notes]
