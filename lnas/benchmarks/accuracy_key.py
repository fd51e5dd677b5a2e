"""Which accuracy: the five things without which a number of a benchmark means nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lnas.errors import UsageError, complaint
from lnas.reading import read_text

MEAN = "mean"
_WORD = re.compile(r"[A-Za-z0-9][\w.+-]*")
_NUMBER = re.compile(r"[0-9]{1,20}")
_TEXT = re.compile(rf"([^/@\s]+)\s*/\s*([^/@\s]+)\s*/\s*([^/@\s]+)\s*@\s*({_NUMBER.pattern})\s*/\s*([^/@\s]+)")
_EXAMPLE = "Example: nats-1.0/cifar10-valid/x-valid@200/mean."


@dataclass(frozen=True)
class AccuracyKey:
    """Which accuracy of an architecture is meant. There is no default for any part of it.

    Attributes:
        release: Of the benchmark: "nats-1.0" and "nas-bench-201-1.1" differ.
        dataset: As the benchmark calls what was trained on: "cifar10-valid" is half of CIFAR-10, "cifar10" all of it.
        split: What the accuracy was measured on, as the benchmark calls it: "x-valid", "ori-test", "train".
        epochs: Length of the training.
        seed: An integer; "mean" over all the trainings there are; or the name of a training whose seed is not known.

    Raises:
        UsageError: If a name has other signs than letters, digits and `_.+-`, or `epochs` is below 1.

    Example:
        >>> key = AccuracyKey("nats-1.0", "cifar10-valid", "x-valid", 200, "mean")
        >>> str(key)
        'nats-1.0/cifar10-valid/x-valid@200/mean'
        >>> AccuracyKey.parse("nats-1.0 / cifar10-valid / x-valid @ 200 / mean") == key
        True
    """

    release: str
    dataset: str
    split: str
    epochs: int
    seed: int | str

    def __post_init__(self) -> None:
        names = [self.release, self.dataset, self.split, *([self.seed] if isinstance(self.seed, str) else [])]
        for name in names:
            if not (isinstance(name, str) and _WORD.fullmatch(name)):
                raise UsageError(complaint("AccuracyKey(...)", "names of letters, digits and _.+-", name, _EXAMPLE))
        if isinstance(self.seed, str) and self.seed.isdigit():
            raise UsageError(complaint("AccuracyKey(...)", "a number as a number", self.seed, "Example: seed=777."))
        for number, least in ((self.epochs, 1), *([(self.seed, 0)] if not isinstance(self.seed, str) else [])):
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise UsageError(complaint("AccuracyKey(...)", "epochs >= 1 and a seed >= 0", number, _EXAMPLE))

    def __str__(self) -> str:
        return f"{self.release}/{self.dataset}/{self.split}@{self.epochs}/{self.seed}"

    def with_seed(self, seed: int | str) -> AccuracyKey:
        """Return the key of the same accuracy in a training with this seed, or of the mean."""
        return replace(self, seed=seed)

    @classmethod
    def parse(cls, text: str) -> AccuracyKey:
        """Read what `str` writes; space around the signs is allowed.

        Raises:
            UsageError: If a part is missing.
        """
        call = f"AccuracyKey.parse({text!r})"
        found = _TEXT.fullmatch(read_text(call, text, _EXAMPLE))
        if found is None:
            raise UsageError(complaint(call, "RELEASE/DATASET/SPLIT@EPOCHS/SEED", text, _EXAMPLE))
        release, dataset, split, epochs, seed = found.groups()
        return cls(release, dataset, split, int(epochs), int(seed) if _NUMBER.fullmatch(seed) else seed)
