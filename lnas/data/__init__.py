"""Image data with named splits, and the proxy subset of short training.

`lnas.data.batches` and `lnas.data.module` need torch and Lightning; what is named here does not.
"""

from lnas.data.augmentation import Augmentation
from lnas.data.cifar import Cifar10Data, Cifar100Data
from lnas.data.digits import DigitsData
from lnas.data.folder import ImageFolderData
from lnas.data.imagenet16 import ImageNet16Data
from lnas.data.images import DataProtocol, ImageData, Split, SplitName, StoredImages, proxy_subset
from lnas.data.patches import random_patches

__all__ = [
    "Augmentation",
    "Cifar10Data",
    "Cifar100Data",
    "DataProtocol",
    "DigitsData",
    "ImageData",
    "ImageFolderData",
    "ImageNet16Data",
    "Split",
    "SplitName",
    "StoredImages",
    "proxy_subset",
    "random_patches",
]
