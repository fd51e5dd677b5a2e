"""lnas: find neural architectures cheaply, and know how far each cheap estimate can be trusted."""

__version__ = "0.1.0"
