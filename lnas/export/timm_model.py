"""Networks of lnas as a model of timm: `timm.create_model("lnas_cell", arch=..., num_classes=...)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs
from torch import Tensor, nn

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.builder import NetBuilder
from lnas.nets.nats_size import SlicedHead
from lnas.nets.trained_file import misfit
from lnas.spaces import SPACES, read_arch

NAME = "lnas_cell"
CLASSIFIER = "classifier"

_OPTIONS = tuple(option.name for option in fields(NetBuilder))
_AUXILIARY = "auxiliary."

# Of the benchmarks' own networks, which are for CIFAR-10; what was trained brings its own.
default_cfgs = generate_default_cfgs(
    {
        NAME: {
            "num_classes": 10,
            "input_size": (3, 32, 32),
            "min_input_size": (3, 4, 4),
            "crop_pct": 1.0,
            "interpolation": "bilinear",
            "mean": (125.3 / 255, 123.0 / 255, 113.9 / 255),
            "std": (63.0 / 255, 62.1 / 255, 66.7 / 255),
            "classifier": CLASSIFIER,
        }
    }
)


class LnasCell(nn.Module):
    """A network of lnas with the methods of timm's models, and the very names of its tensors.

    Args:
        arch: SPACE:GENES, the notation of a benchmark, or a published genotype such as DARTS_V2.
        num_classes: Outputs; 0 gives the features before the classifier.
        in_chans: Channels of the images: 3.
        space: Name of the architecture's space, where its notation could be of several.
        drop_path_rate: As `drop_path`, by timm's name.
        options: As of `NetBuilder`: channels, cells, ...

    Raises:
        UsageError: If no space can read the architecture, or its networks have no such option.
    """

    head: nn.Module
    classifier: nn.Linear | nn.Identity
    num_features: int
    num_classes: int
    pretrained_cfg: dict[str, Any]
    _body: nn.Module

    def __init__(
        self,
        arch: str,
        num_classes: int = 10,
        in_chans: int = 3,
        space: str | None = None,
        drop_path_rate: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__()
        if in_chans != 3:
            raise UsageError(complaint(f"{NAME}(in_chans={in_chans})", "3 channels", in_chans, "Leave it out."))
        for name in options:
            if name not in _OPTIONS:
                raise UsageError(f"{NAME}: {unknown_name('option', name, _OPTIONS)}")
        if drop_path_rate:
            options["drop_path"] = drop_path_rate
        _, parsed = read_arch(arch, None if space is None else _named(space))
        net = NetBuilder(**options)(parsed, num_classes or 1)
        for name, part in net.named_children():
            self.add_module(name, part)
        features = net.classifier.in_features
        net.head, net.classifier = _Passing(), _Passing()
        # Not a part of this one, or its tensors would have two names.
        object.__setattr__(self, "_body", net)
        self.num_features = self.head_hidden_size = features
        self.num_classes = num_classes
        self.in_chans = in_chans
        if num_classes == 0:
            self.reset_classifier(0)

    def forward_features(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to the last cell's output (B, C, H', W')."""
        return self._body(images)

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Map features to logits (B, classes), or to what the classifier takes: (B, num_features)."""
        widths = (self.num_features,) if isinstance(self.head, SlicedHead) else ()
        pooled = self.head(features, *widths)
        return pooled if pre_logits else self.classifier(pooled)

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(images))

    def train(self, mode: bool = True) -> LnasCell:
        self._body.training = mode  # of what it asks for itself: whether paths are dropped
        return super().train(mode)

    def get_classifier(self) -> nn.Module:
        """Return the last layer."""
        return self.classifier

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Put a new classifier in the place of the last layer; none for 0 classes.

        Raises:
            UsageError: If another pooling is asked for.
        """
        if global_pool not in (None, "avg"):
            call = f"reset_classifier(global_pool={global_pool!r})"
            raise UsageError(complaint(call, "'avg'", global_pool, "Take `forward_features` to pool yourself."))
        self.num_classes = num_classes
        self.classifier = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()


class _Passing(nn.Identity):
    """Return the first argument, whatever the others are."""

    def forward(self, x: Tensor, *others: Any) -> Tensor:
        return x


def lnas_cell(pretrained: bool = False, **kwargs: Any) -> nn.Module:
    """Build a `LnasCell` as timm builds its models.

    The number of classes that pretrained weights are for is read from them: where another is asked for, the classifier
    is new, and nothing else. An auxiliary classifier is loaded into networks that have one.

    Args:
        pretrained: Whether weights are loaded, from where `pretrained_cfg_overlay=dict(file=...)` says.
        kwargs: Of timm's `create_model`, and of `LnasCell`.

    Raises:
        UsageError: If weights are of another architecture or size.
    """
    return build_model_with_cfg(LnasCell, NAME, pretrained, pretrained_filter_fn=_checked, **kwargs)


def _checked(tensors: Mapping[str, Tensor], model: LnasCell) -> dict[str, Tensor]:
    """Return the weights that the model has a place for; raise `UsageError` unless all are there, and fit."""
    own = model.state_dict()
    kept = {name: tensor for name, tensor in tensors.items() if name in own or not name.startswith(_AUXILIARY)}
    classes = len(tensors.get(f"{CLASSIFIER}.bias", ()))
    if classes:
        model.pretrained_cfg["num_classes"] = classes  # or timm takes them for the default's, and drops the classifier
    new = {f"{CLASSIFIER}.{part}" for part in ("weight", "bias")} if classes != model.num_classes else set()
    first = misfit(*({name: part[name] for name in part if name not in new} for part in (own, kept)))
    if first is not None:
        call, step = f"{NAME}(pretrained=True)", "Give arch, channels and cells as it was trained with."
        expected = f"{first.name!r} of shape {first.expected}" if first.expected else f"no {first.name!r}"
        raise UsageError(complaint(call, expected, first.found or "no such tensor", step))
    return kept


def _named(space: str) -> Any:
    if space not in SPACES:
        raise UsageError(f"{NAME}: {unknown_name('space', space, SPACES)}")
    return SPACES[space]()
