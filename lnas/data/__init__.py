"""Image data with named splits, and the proxy subset of short training.

`lnas.data.batches` and `lnas.data.module` need torch and Lightning; what is named here does not.
"""

from lnas.data.cifar import Cifar10Data
from lnas.data.digits import DigitsData
from lnas.data.folder import ImageFolderData
from lnas.data.images import DataProtocol, ImageData, Split, SplitName, StoredImages, proxy_subset
from lnas.data.patches import random_patches

__all__ = [
    "Cifar10Data",
    "DataProtocol",
    "DigitsData",
    "ImageData",
    "ImageFolderData",
    "Split",
    "SplitName",
    "StoredImages",
    "proxy_subset",
    "random_patches",
]
