"""Architectures as pictures: cells as graphs, networks as stages, anything else as boxes, and several as one."""

from lnas.spaces.drawing.cells import Edge, draw_cell
from lnas.spaces.drawing.composed import draw_decisions, draw_stacked
from lnas.spaces.drawing.stages import Stage, draw_stages
from lnas.spaces.drawing.svg import Svg

__all__ = ["Edge", "Stage", "Svg", "draw_cell", "draw_decisions", "draw_stacked", "draw_stages"]
