"""A trained network in the forms that other tools load: programs, ONNX, timm, a model card.

Importing this registers "lnas_cell" with timm.
"""

from timm.models import register_model

from lnas.export.timm_model import lnas_cell

register_model(lnas_cell)

__all__ = ["lnas_cell"]
