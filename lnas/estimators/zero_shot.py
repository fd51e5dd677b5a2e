"""Measures of an untrained network."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any, Literal, NamedTuple, get_args

from lnas.data import DataProtocol, ImageData, SplitName
from lnas.errors import LnasError, UsageError, complaint, unknown_name
from lnas.estimators.averaging import mean_estimate
from lnas.estimators.base import Estimator
from lnas.estimators.zero_shot_batches import TESTING, ProbeBatches, Source
from lnas.estimators.zero_shot_nets import build_measured_net
from lnas.estimators.zero_shot_settings import (
    SETTINGS,
    Inputs,
    MeasureSetting,
    NetSetting,
    ProbeSetting,
    ZeroShotProtocolName,
)
from lnas.nets import NetBuilder
from lnas.proxies import PROXIES
from lnas.seeds import derive_seed
from lnas.types import Arch, Estimate, describe

Standing = Literal["architecture", "computational"]
_CHANGEABLE: Mapping[Inputs, Set[str]] = {
    "images": {"batches", "batch_size", "repeats", "augment"},
    "patches": {"batches", "repeats"},
    "nothing": set(),
}


@dataclass(frozen=True)
class ZeroShotProtocol:
    """Everything that decides a zero-shot number, the seed apart.

    Attributes:
        net: What builds the networks, before a measure's setting replaces options of it.
        num_classes: Outputs.
        measures: How each is taken.
        dtype: Of weights and images.
        source: Whether inputs are images or noise.
        batch_seed: Decides which images; 0 where none are seen.
        data: What is done to the images; None where none are seen.
        splits: Fingerprints of the splits that are seen.
    """

    net: Any
    num_classes: int
    measures: Mapping[str, MeasureSetting]
    dtype: str
    source: str
    batch_seed: int
    data: DataProtocol | None
    splits: Mapping[str, str]


class _Built(NamedTuple):
    """A network, or the error that its builder raised; its seed and how long it took."""

    net: Any
    error: Exception | None
    seed: int
    seconds: float


class ZeroShotEstimator(Estimator):
    """Build the network of an architecture and measure it untrained, as the papers do.

    Measures that are taken alike share networks, batches and passes, so that a set costs about what its dearest member
    costs. All architectures see the same batches. Where there are several networks or batches, the value is the mean,
    and the details hold `values`: a list for each network, with a number for each batch. One of them that is nonfinite
    or failed makes the estimate so, and its place among the values is None.

    Where `net` is a `NetBuilder`, a protocol replaces some of its options, such as the width for kernels, and how edges
    on no path are computed; see `lnas.estimators.zero_shot_settings`. Any other callable is used as it is: measures
    then are of its networks, whatever their weights, trained ones of `SubnetsOf` included, and all per architecture.

    Args:
        net: Builds the network of an architecture.
        data: Where the images are from: the training split, and the validation split for what `ntk_mse` tests on.
        names: Which measures, of `lnas.proxies.PROXIES`.
        protocol: "as_published" follows the papers' text, "as_released" their code, each measure on the network, and
            the number of images, networks and batches, of its own paper; "study" takes all on the benchmark's network
            and one batch of 128 images, as in Ning et al. 2021, whose numbers are means over 3 networks and 1 to 10
            batches.
        batches: How many batches; None is the protocol's.
        batch_size: Images per batch; None is the protocol's. Patches keep their number.
        repeats: How many networks with other weights; None is the protocol's.
        inputs: "noise" measures on standard normal noise with random labels instead.
        augment: Whether images are cropped and flipped as the data allows; None is the protocol's.
        batch_seed: Decides which images.
        dtype: Of weights and images.

    Raises:
        UsageError: If an argument is none of these, or a measure needs thin networks and `net` is no `NetBuilder`. When
            it estimates: if the space has no such network, or the data fewer images than a batch.

    Deviations from the papers: `ntk_mse` tests on validation images, where TEG-NAS takes some of the test set. Images
    are normalised as the data says. The images of the batches, augmentation included, are drawn once, where Zero-Cost
    NAS draws others for each architecture. `synflow` keeps batch norms where the released code of Zero-Cost NAS does,
    in both of its protocols, and `synflow_log` none. For `linear_regions` as published, the text has no number of
    patches: 1,000 in each of three batches, thrice that at once as released.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        names: Sequence[str] = ("params",),
        protocol: ZeroShotProtocolName = "as_published",
        batches: int | None = None,
        batch_size: int | None = None,
        repeats: int | None = None,
        inputs: Source = "images",
        augment: bool | None = None,
        batch_seed: int = 0,
        dtype: Literal["float32", "float64"] = "float32",
    ) -> None:
        _check_choices(protocol=(protocol, get_args(ZeroShotProtocolName)), inputs=(inputs, get_args(Source)))
        _check_choices(dtype=(dtype, ("float32", "float64")))
        if augment is not None and not isinstance(augment, bool):
            call, expected = f"ZeroShotEstimator(augment={augment!r})", "a bool, or None for the protocol's"
            raise UsageError(complaint(call, expected, augment, "Example: augment=False."))
        _check_numbers(batches=(batches, 1), batch_size=(batch_size, 2), repeats=(repeats, 1))
        given = {"batches": batches, "batch_size": batch_size, "repeats": repeats, "augment": augment}
        changes = {name: value for name, value in given.items() if value is not None}
        self._net = net
        self._data = data
        self._settings = {name: _fitted(setting, net, changes) for name, setting in _look_up(names, protocol).items()}
        self._source: Source = inputs
        self._batch_seed = batch_seed
        self._dtype = dtype
        self._batches = ProbeBatches(data, inputs, batch_seed, dtype)

    @property
    def measures(self) -> Mapping[str, bool]:
        return {name: PROXIES[name].higher_is_better for name in self._settings}

    @property
    def measured_per(self) -> Mapping[str, Standing]:
        """Which measures are those of a class of twins, and which differ between its members.

        A measure is "computational" if its value depends on nothing but the live part of the network, up to the weights
        drawn: NATS topology cells that are twins in that sense share it.
        """
        return {name: self._standing(setting.probe) for name, setting in self._settings.items()}

    def only(self, names: Sequence[str]) -> ZeroShotEstimator:
        """Return the estimator of some of the measures, each taken as here.

        Raises:
            UsageError: If one of them is none of `measures`.
        """
        for name in names:
            if name not in self._settings:
                raise UsageError(
                    f"ZeroShotEstimator.only({list(names)!r}): {unknown_name('measure', name, self._settings)}"
                )
        some = copy.copy(self)
        some.__dict__.pop("protocol", None)
        some._settings = {name: self._settings[name] for name in names}
        return some

    @cached_property
    def protocol(self) -> ZeroShotProtocol:
        splits = self._splits()
        return ZeroShotProtocol(
            net=describe(self._net),
            num_classes=self._data.num_classes,
            measures=self._settings,
            dtype=self._dtype,
            source=self._source,
            batch_seed=self._batch_seed if splits else 0,
            data=self._data.protocol if splits else None,
            splits={name: self._data.splits[name].fingerprint() for name in splits},
        )

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        built = cache(partial(self._built, candidate, seed))
        found: dict[str, Estimate] = {}
        for probe in self._probes():
            proxies = {name: setting.proxy for name, setting in self._settings.items() if setting.probe == probe}
            scores = [
                [self._scored(probe, list(proxies.values()), built(probe.net, repeat), n) for n in range(probe.batches)]
                for repeat in range(probe.repeats)
            ]
            for name, proxy in proxies.items():
                found[name] = mean_estimate([[estimates[proxy] for estimates in row] for row in scores])
        return {name: found[name] for name in self._settings}

    def _probes(self) -> list[ProbeSetting]:
        return list(dict.fromkeys(setting.probe for setting in self._settings.values()))

    def _built(self, candidate: Arch, seed: int, setting: NetSetting, repeat: int) -> _Built:
        import torch

        of_whom = (candidate,) if setting.weights == "own" else ()
        seed = derive_seed(seed, *of_whom, "zero_shot", repeat)
        started, net, failure = time.perf_counter(), None, None
        try:
            net = build_measured_net(self._net, setting, candidate, self._data.num_classes, seed)
            net = net.to(getattr(torch, self._dtype))
        except LnasError:
            raise
        except Exception as error:  # whatever a candidate's network does, the search goes on
            failure = error
        return _Built(net, failure, seed, time.perf_counter() - started)

    def _scored(self, probe: ProbeSetting, proxies: Sequence[str], built: _Built, number: int) -> dict[str, Estimate]:
        """Measure a network on one batch; the time to build it is that of its first batch."""
        from lnas.proxies import score

        building = built.seconds if number == 0 else 0.0
        if built.error:
            return dict.fromkeys(proxies, Estimate.failure(built.error, building))
        shown = self._batches.shown(probe, _needs(proxies), number)
        seed = derive_seed(built.seed, number)
        scores = score(built.net, shown.inputs, shown.labels, proxies, seed=seed, test=shown.test)
        return {name: replace(estimate, seconds=estimate.seconds + building) for name, estimate in scores.items()}

    def _splits(self) -> list[SplitName]:
        """Return which splits decide the numbers."""
        needs = _needs([setting.proxy for setting in self._settings.values()])
        seen: dict[SplitName, bool] = {"train": not needs <= {"net"}, "val": bool(needs & TESTING)}
        return [name for name, is_seen in seen.items() if is_seen]

    def _standing(self, probe: ProbeSetting) -> Standing:
        of_the_live_part = isinstance(self._net, NetBuilder) and not probe.net.computes_dead_edges
        return "computational" if of_the_live_part and probe.inputs != "nothing" else "architecture"


def _needs(proxies: Iterable[str]) -> set[str]:
    return {need for proxy in proxies for need in PROXIES[proxy].needs}


def _look_up(names: Sequence[str], protocol: ZeroShotProtocolName) -> dict[str, MeasureSetting]:
    if isinstance(names, str) or not names:
        expected, step = "a list of names, at least one", 'Example: ["params", "snip"].'
        raise UsageError(complaint(f"ZeroShotEstimator(names={names!r})", expected, names, step))
    known = SETTINGS[protocol]
    for name in names:
        if name not in known:
            raise UsageError(f"ZeroShotEstimator(names={list(names)!r}): {unknown_name('measure', str(name), known)}")
    return {name: known[name] for name in names}


def _fitted(setting: MeasureSetting, net: object, changes: Mapping[str, Any]) -> MeasureSetting:
    """Return the setting with what the caller wants otherwise, as far as it goes with its inputs and the net."""
    probe = setting.probe
    fitting = {name: value for name, value in changes.items() if name in _CHANGEABLE[probe.inputs]}
    if not isinstance(net, NetBuilder):
        if probe.net.kind == "thin":
            call = f"ZeroShotEstimator(net={type(net).__name__}, ...)"
            expected = f"a NetBuilder for {setting.proxy!r}, which this protocol takes on networks of one channel"
            raise UsageError(complaint(call, expected, net, 'With protocol="study" any network will do.'))
        fitting["net"] = NetSetting(weights=probe.net.weights)
    return replace(setting, probe=replace(probe, **fitting))


def _check_choices(**choices: tuple[str, Sequence[str]]) -> None:
    for name, (value, known) in choices.items():
        if value not in known:
            raise UsageError(f"ZeroShotEstimator({name}={value!r}): {unknown_name(name, str(value), known)}")


def _check_numbers(**numbers: tuple[int | None, int]) -> None:
    for name, (value, least) in numbers.items():
        if value is not None and (type(value) is not int or value < least):
            call = f"ZeroShotEstimator({name}={value!r})"
            step = f"Example: {name}={least}."
            raise UsageError(complaint(call, f"{name} >= {least}, or None for the protocol's", value, step))
