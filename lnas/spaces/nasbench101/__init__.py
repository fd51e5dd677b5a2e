"""NAS-Bench-101: its cells as graphs, all of them, and its one-shot sub-spaces."""
