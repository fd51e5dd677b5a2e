"""One readable function per command: `run` in `lnas.pipeline.run`."""
