from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from lnas.analysis.cell_features import cell_features
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsSizeSpace, NatsTopologySpace, published_genotype

NATS, DARTS = NatsTopologySpace(), DartsSpace()
WINDOWS = {"none": None, "skip_connect": 1, "nor_conv_1x1": 1, "nor_conv_3x3": 3, "avg_pool_3x3": 3}
PATHS = [(0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3)]


def one(text: str) -> dict[str, float]:
    return {name: float(values[0]) for name, values in cell_features([NATS.parse(text)], NATS).items()}


def test_cells_by_hand() -> None:
    chain = one("|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    assert chain["depth"] == 3
    assert chain["convolutional depth"] == 2
    assert chain["receptive field"] == 1 + 2 + 2
    assert (chain["edges"], chain["skip share"]) == (4, 1 / 4)
    assert (chain["kernel 1x1"], chain["kernel 3x3"], chain["avg_pool_3x3"]) == (1, 1, 1)


def test_what_does_not_reach_the_output_does_not_count() -> None:
    dead = one("|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|")
    assert (dead["depth"], dead["convolutional depth"], dead["receptive field"]) == (1, 0, 1)
    assert (dead["edges"], dead["skip share"], dead["nor_conv_3x3"]) == (1, 1, 0)
    nothing = one("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert np.isnan(nothing.pop("skip share"))
    assert set(nothing.values()) == {0}


def test_all_cells_as_walking_their_four_paths_finds() -> None:
    archs = list(NATS.archs())[::37]
    found = cell_features(archs, NATS)
    for k, arch in enumerate(archs):
        ops = dict(zip([(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)], arch.genes, strict=True))
        names = {edge: tuple(WINDOWS)[op] for edge, op in ops.items()}
        paths = [[names[step] for step in itertools.pairwise(path)] for path in PATHS]
        walks = [(path, on) for path, on in zip(PATHS, paths, strict=True) if "none" not in on]
        live = {step for path, _ in walks for step in itertools.pairwise(path)}
        counts = Counter(names[step] for step in live)
        assert found["depth"][k] == max((len(on) for _, on in walks), default=0)
        assert found["convolutional depth"][k] == max((sum("conv" in op for op in on) for _, on in walks), default=0)
        fields = [1 + sum(WINDOWS[op] - 1 for op in on) for _, on in walks]
        assert found["receptive field"][k] == max(fields, default=0)
        assert found["edges"][k] == len(live)
        assert all(found[op][k] == counts[op] for op in WINDOWS if op != "none")


def test_the_cells_of_darts_by_hand() -> None:
    # DARTS_V2, normal: node 2 = sep3(0) + sep3(1), 3 = sep3(0) + sep3(1), 4 = sep3(1) + skip(0), 5 = skip(0) + dil3(2);
    # reduce: 2 = max(0) + max(1), 3 = skip(2) + max(1), 4 = max(0) + skip(2), 5 = skip(2) + max(1).
    found = {name: values[0] for name, values in cell_features([published_genotype("DARTS_V2")], DARTS).items()}
    assert (found["normal depth"], found["normal convolutional depth"]) == (2, 2)
    assert found["normal receptive field"] == 1 + 4 + 4  # separable, then dilated
    assert (found["normal sep_conv_3x3"], found["normal skip_connect"], found["normal dil_conv_3x3"]) == (5, 2, 1)
    assert found["normal skip share"] == 2 / 8
    assert (found["normal kernel 3x3"], found["normal kernel 5x5"]) == (6, 0)
    assert (found["reduce depth"], found["reduce convolutional depth"], found["reduce receptive field"]) == (2, 0, 3)
    assert (found["reduce max_pool_3x3"], found["reduce skip_connect"]) == (5, 3)


def test_every_cell_of_darts_has_eight_edges() -> None:
    rng = np.random.default_rng(0)
    found = cell_features([DARTS.sample(rng) for _ in range(20)], DARTS)
    for cell in ("normal", "reduce"):
        assert (found[f"{cell} edges"] == 8).all()
        assert (
            sum(found[f"{cell} {op}"] for op in ("sep_conv_5x5", "dil_conv_5x5")) == found[f"{cell} kernel 5x5"]
        ).all()
        assert (found[f"{cell} convolutional depth"] <= found[f"{cell} depth"]).all()
        assert (found[f"{cell} depth"] >= 1).all()
        assert (found[f"{cell} depth"] <= 4).all()


def test_other_spaces_have_no_cells() -> None:
    with pytest.raises(UsageError, match="nats_topology or darts, got 'nats_size'"):
        cell_features([], NatsSizeSpace())
    assert all(values.shape == (0,) for values in cell_features([], NATS).values())
