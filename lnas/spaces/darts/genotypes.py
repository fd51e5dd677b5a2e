"""Published architectures of the DARTS space, by name."""

from __future__ import annotations

from typing import NamedTuple

from lnas.errors import UsageError, unknown_name
from lnas.spaces.darts.space import DartsSpace
from lnas.types import Arch


class Genotype(NamedTuple):
    """An architecture as its authors released it.

    Attributes:
        normal: The normal cell's inputs, two for each node.
        reduce: The reduction cell's.
        source: Repository, file and name there.
    """

    normal: str
    reduce: str
    source: str

    def __str__(self) -> str:
        cells = {"normal": self.normal, "reduce": self.reduce}
        fields = (f"{name}=[{inputs}], {name}_concat=[2, 3, 4, 5]" for name, inputs in cells.items())
        return f"Genotype({', '.join(fields)})"


GENOTYPES = {
    "DARTS_V1": Genotype(
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
        "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)",
        "('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), "
        "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)",
        "quark0/darts: cnn/genotypes.py, DARTS_V1",
    ),
    "DARTS_V2": Genotype(
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)",
        "('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), "
        "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)",
        "quark0/darts: cnn/genotypes.py, DARTS_V2",
    ),
    "SNAS_moderate": Genotype(
        "('dil_conv_5x5', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('skip_connect', 1), "
        "('skip_connect', 0), ('skip_connect', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 1)",
        "('max_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_5x5', 0), ('dil_conv_5x5', 1), "
        "('sep_conv_5x5', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)",
        "SNAS-Series/SNAS-Series: SNAS/genotypes.py, SNAS_moderate",
    ),
    "GDAS": Genotype(
        "('skip_connect', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_5x5', 2), "
        "('sep_conv_3x3', 3), ('skip_connect', 0), ('sep_conv_5x5', 4), ('sep_conv_3x3', 3)",
        "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('sep_conv_5x5', 1), "
        "('dil_conv_5x5', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_5x5', 1)",
        "D-X-Y/AutoDL-Projects: others/GDAS/lib/nas/genotypes.py, GDAS_V1",
    ),
    "PDARTS": Genotype(
        "('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)",
        "('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), "
        "('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)",
        "chenxin061/pdarts: genotypes.py, PDARTS",
    ),
    "PC_DARTS_cifar": Genotype(
        "('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
        "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)",
        "('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), "
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)",
        "yuhuixu1993/PC-DARTS: genotypes.py, PC_DARTS_cifar",
    ),
    "PC_DARTS_image": Genotype(
        "('skip_connect', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 0), ('skip_connect', 1), "
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('dil_conv_5x5', 4)",
        "('sep_conv_3x3', 0), ('skip_connect', 1), ('dil_conv_5x5', 2), ('max_pool_3x3', 1), "
        "('sep_conv_3x3', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 0), ('sep_conv_3x3', 3)",
        "yuhuixu1993/PC-DARTS: genotypes.py, PC_DARTS_image",
    ),
    "SGAS_Cri1_CIFAR": Genotype(
        "('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_5x5', 1), ('sep_conv_5x5', 3), ('skip_connect', 0), ('dil_conv_5x5', 2)",
        "('max_pool_3x3', 0), ('dil_conv_5x5', 1), ('sep_conv_3x3', 0), ('skip_connect', 2), "
        "('sep_conv_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), ('max_pool_3x3', 1)",
        "lightaime/sgas: cnn/genotypes.py, Cri1_CIFAR_Best",
    ),
    "SGAS_Cri2_CIFAR": Genotype(
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 2), "
        "('max_pool_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 2), ('sep_conv_3x3', 3)",
        "('sep_conv_3x3', 0), ('max_pool_3x3', 1), ('dil_conv_3x3', 0), ('max_pool_3x3', 1), "
        "('max_pool_3x3', 0), ('sep_conv_3x3', 2), ('max_pool_3x3', 0), ('sep_conv_5x5', 2)",
        "lightaime/sgas: cnn/genotypes.py, Cri2_CIFAR_Best",
    ),
    "DrNAS_cifar10": Genotype(
        "('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), "
        "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), ('dil_conv_5x5', 3)",
        "('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('dil_conv_5x5', 2), ('sep_conv_5x5', 1), "
        "('sep_conv_5x5', 1), ('dil_conv_5x5', 3), ('skip_connect', 4), ('sep_conv_5x5', 1)",
        "xiangning-chen/DrNAS: DARTS-space/genotypes.py, DrNAS_cifar10",
    ),
    "DrNAS_imagenet": Genotype(
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
        "('sep_conv_3x3', 0), ('dil_conv_3x3', 3), ('skip_connect', 0), ('sep_conv_3x3', 1)",
        "('max_pool_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2), "
        "('sep_conv_3x3', 0), ('sep_conv_3x3', 2), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1)",
        "xiangning-chen/DrNAS: DARTS-space/genotypes.py, DrNAS_imagenet",
    ),
    "TENAS_cifar10": Genotype(
        "('dil_conv_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 2), "
        "('skip_connect', 0), ('dil_conv_5x5', 1), ('sep_conv_3x3', 1), ('sep_conv_5x5', 3)",
        "('sep_conv_5x5', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), "
        "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_5x5', 2), ('sep_conv_3x3', 4)",
        "chenwydj/DARTS_evaluation: genotypes.py, TENAS_cifar10",
    ),
    "TENAS_imagenet": Genotype(
        "('sep_conv_3x3', 0), ('skip_connect', 1), ('dil_conv_5x5', 1), ('sep_conv_3x3', 2), "
        "('sep_conv_3x3', 0), ('dil_conv_5x5', 3), ('sep_conv_3x3', 0), ('dil_conv_3x3', 4)",
        "('dil_conv_3x3', 0), ('sep_conv_5x5', 1), ('dil_conv_3x3', 0), ('sep_conv_3x3', 2), "
        "('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 4)",
        "chenwydj/DARTS_evaluation: genotypes.py, TENAS_imagenet",
    ),
    "TEGNAS_RL": Genotype(
        "('sep_conv_5x5', 0), ('sep_conv_5x5', 1), ('dil_conv_3x3', 0), ('dil_conv_3x3', 1), "
        "('skip_connect', 1), ('sep_conv_5x5', 0), ('dil_conv_5x5', 2), ('avg_pool_3x3', 1)",
        "('sep_conv_5x5', 1), ('sep_conv_5x5', 0), ('dil_conv_5x5', 0), ('max_pool_3x3', 2), "
        "('sep_conv_3x3', 2), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), ('sep_conv_3x3', 3)",
        "chenwydj/DARTS_evaluation: genotypes.py, TEGNAS_RL",
    ),
    "TEGNAS_Evolution": Genotype(
        "('sep_conv_5x5', 1), ('dil_conv_5x5', 0), ('skip_connect', 2), ('sep_conv_5x5', 1), "
        "('skip_connect', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 2), ('sep_conv_5x5', 1)",
        "('sep_conv_5x5', 1), ('sep_conv_5x5', 0), ('dil_conv_5x5', 2), ('sep_conv_5x5', 1), "
        "('sep_conv_5x5', 3), ('dil_conv_5x5', 2), ('dil_conv_5x5', 4), ('sep_conv_5x5', 3)",
        "chenwydj/DARTS_evaluation: genotypes.py, TEGNAS_Evolution",
    ),
}


def published_genotype(name: str) -> Arch:
    """Return a published architecture.

    Names are those of the release, but for GDAS (there `GDAS_V1`) and SGAS (the best of each criterion). Their networks
    have the published sizes, except `TENAS_cifar10`: 4.14M parameters where the paper says 3.8M. The release has the
    same genotype once more as TEG-NAS with FP-NAS. NASNet, AmoebaNet, PNAS and ENAS have other nodes, outputs or
    operations and are not of this space.

    Raises:
        UsageError: If none is known by this name.

    Example:
        >>> published_genotype("TENAS_cifar10").genes[14:]
        (5, 5, 0, 5, 5, 0, 4, 0, 4, 0, 0, 5, 0, 4)
        >>> GENOTYPES["TENAS_cifar10"].source
        'chenwydj/DARTS_evaluation: genotypes.py, TENAS_cifar10'
    """
    if name not in GENOTYPES:
        raise UsageError(f"published_genotype({name!r}): {unknown_name('genotype', name, GENOTYPES)}")
    return DartsSpace().parse(str(GENOTYPES[name]))
