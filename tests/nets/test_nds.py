"""Networks of the NDS spaces against published code's counts, and torchvision's blocks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from lnas.nets import build_net, build_supernet
from lnas.nets.complexity import count_macs
from lnas.nets.nds import NdsResNeXtANet
from lnas.proxies.params import params
from lnas.spaces.nds import NdsResNetSpace, NdsResNeXtASpace, NdsSpace
from lnas.types import Arch, Region

RESNET, RESNEXT = NdsResNetSpace(), NdsResNeXtASpace()
CASES = (
    "nds_resnet:d=(1, 1, 1) w=(16, 16, 16)",
    "nds_resnet:d=(2, 3, 4) w=(32, 64, 128)",
    "nds_resnet:d=(1, 8, 24) w=(256, 24, 40)",
    "nds_resnet:d=(4, 4, 4) w=(16, 32, 64)",
    "nds_resnexta:d=(1, 1, 1) w=(16, 32, 64) b=(1.0, 1.0, 1.0) g=(1, 1, 1)",
    "nds_resnexta:d=(2, 4, 8) w=(64, 128, 256) b=(0.5, 0.25, 1.0) g=(2, 4, 1)",
    "nds_resnexta:d=(4, 8, 16) w=(256, 64, 32) b=(1.0, 0.5, 0.25) g=(4, 1, 2)",
    "nds_resnexta:d=(1, 2, 1) w=(16, 16, 16) b=(0.25, 0.25, 0.25) g=(1, 2, 4)",
)


class WideBottleneck(Bottleneck):
    """One whose output is as wide as it is told."""

    expansion = 1


def arch_of(case: str) -> Arch:
    space: NdsSpace = RESNEXT if case.startswith("nds_resnexta") else RESNET
    lists = {key: json.loads(f"[{values}]") for key, values in re.findall(r"([dwbg])=\(([^)]*)\)", case)}
    keys = {"d": ("ds", 1), "w": ("ws", 16), "b": ("bot_muls", 0.0), "g": ("num_gs", 1)}
    record = {keys[key][0]: [keys[key][1], *values] for key, values in lists.items()}
    return space.parse(json.dumps(record | {"ss": [1, 1, 2, 2]}))


def with_torchvision(arch: Arch) -> nn.Sequential:
    """Build the network of an architecture, of torchvision's blocks."""
    space = RESNEXT if arch.space == RESNEXT.name else RESNET
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    c_in = 16
    for stage, (depth, width) in enumerate(zip(space.depths(arch), space.widths(arch), strict=True)):
        for block in range(depth):
            stride = 2 if stage and not block else 1
            down = None
            if stride == 2 or c_in != width:
                down = nn.Sequential(nn.Conv2d(c_in, width, 1, stride, bias=False), nn.BatchNorm2d(width))
            if space is RESNET:
                layers.append(BasicBlock(c_in, width, stride, down))
            else:
                groups = space.groups(arch)[stage]
                per_64 = 64 * space.ratios(arch)[stage] / groups
                layers.append(WideBottleneck(c_in, width, stride, down, groups, per_64))
            c_in = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, 10))


@pytest.mark.data
@pytest.mark.parametrize("case", CASES)
def test_parameters_and_flops_equal_those_of_the_published_code(data_root: Path, case: str) -> None:
    records = json.loads((data_root / "oracles" / "oracles.json").read_text())
    values = {record["metric"]: record["independent"] for record in records if record["case"] == case}
    with torch.device("meta"):
        net = build_net(arch_of(case))
    assert params(net) == values["nds_params"]
    assert count_macs(net) == values["nds_flops"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_logits_equal_those_of_torchvision_blocks(case: str, training: bool) -> None:
    arch = arch_of(case)
    expected, net = with_torchvision(arch).double().train(training), build_net(arch).double().train(training)
    for weight, source in zip(net.state_dict().values(), expected.state_dict().values(), strict=True):
        weight.copy_(source)
    images = torch.randn(4, 3, 8, 8, dtype=torch.double)
    torch.testing.assert_close(net(images), expected(images), rtol=1e-9, atol=1e-9)


def test_convolutions_have_the_numbers_of_groups() -> None:
    """Not groups of that width, which is what the released code of NASWOT builds."""
    with torch.device("meta"):
        net = build_net(arch_of(CASES[5]))
    groups = [{block.transform.b.conv.groups for block in stage} for stage in net.trunk]
    assert groups == [{2}, {4}, {1}]


@pytest.mark.parametrize("channels", [1, 3, 4, 16, 32])
def test_groups_divide_every_bottleneck_at_any_size(channels: int) -> None:
    for width in range(5):
        for ratio in range(3):
            for groups in range(3):
                genes = (0, 0, 0, *[width] * 3, *[ratio] * 3, *[groups] * 3)
                with torch.device("meta"):
                    net = NdsResNeXtANet(Region.of(Arch(RESNEXT.name, genes)), channels=channels)
                conv = net.trunk[0][0].transform.b.conv
                assert conv.groups == 2**groups
                if channels == 16:
                    assert conv.out_channels == RESNEXT.bottleneck_widths(Arch(RESNEXT.name, genes))[0]


def test_the_first_shortcut_projects_unless_stem_and_stage_are_equally_wide() -> None:
    def projecting(choices: tuple[tuple[int, ...], ...]) -> list[str]:
        with torch.device("meta"):
            net = build_supernet(Region("nds_resnet", choices))
        return [name for name, _ in net.named_modules() if name.endswith("projection")]

    later = [f"trunk.{stage}.0.shortcut.projection" for stage in (1, 2)]
    assert projecting(((1,), (1,), (1,), (0,), (0,), (0,))) == later
    assert projecting(((1,), (1,), (1,), (0, 1), (0,), (0,))) == ["trunk.0.0.shortcut.projection", *later]
    assert projecting(((1,), (1,), (1,), (2,), (0,), (0,))) == ["trunk.0.0.shortcut.projection", *later]


def test_a_path_runs_the_first_blocks_of_each_stage() -> None:
    region = Region("nds_resnet", ((0, 1, 2), (0, 1, 2), (0, 1, 2), (0,), (0,), (0,)))
    net = build_supernet(region, channels=4)
    ran: list[str] = []
    for name, module in net.named_modules():
        if re.fullmatch(r"trunk\.\d\.\d", name):
            module.register_forward_hook(lambda module, inputs, output, name=name: ran.append(name))
    net(torch.randn(2, 3, 8, 8), Arch("nds_resnet", (1, 0, 2, 0, 0, 0)))
    assert ran == ["trunk.0.0", "trunk.0.1", "trunk.1.0", "trunk.2.0", "trunk.2.1", "trunk.2.2"]


def test_a_mixture_of_depths_weighs_what_follows_each_depth() -> None:
    region = Region("nds_resnet", ((0,), (0,), (0, 2), (0,), (0,), (0,)))
    net = build_supernet(region, channels=4).eval()
    images = torch.randn(2, 3, 8, 8)
    shallow, deep = (
        net.stage_features(images, ["stage3"], Arch("nds_resnet", (0, 0, depth, 0, 0, 0)))["stage3"] for depth in (0, 2)
    )
    weights = [torch.ones(len(allowed)) for allowed in region.choices]
    weights[2] = torch.tensor([0.25, 0.75])
    expected = net.classifier(net.head(0.25 * shallow + 0.75 * deep))
    torch.testing.assert_close(net(images, weights=weights), expected)


def test_a_mixture_of_groups_weighs_the_grouped_convolutions() -> None:
    region = Region("nds_resnext_a", (*((0,),) * 6, *((2,),) * 3, (0, 2), (0,), (0,)))
    net = build_supernet(region).eval().double()
    conv, seen = net.trunk[0][0].transform.b, []
    conv.norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = torch.randn(2, 3, 8, 8, dtype=torch.double)
    for groups in (0, 2):
        net(images, Arch("nds_resnext_a", (*(0,) * 6, 2, 2, 2, groups, 0, 0)))
    weights = [torch.ones(len(allowed), dtype=torch.double) for allowed in region.choices]
    weights[9] = torch.tensor([0.25, 0.75], dtype=torch.double)
    net(images, weights=weights)
    torch.testing.assert_close(seen[2], 0.25 * seen[0] + 0.75 * seen[1])
