"""`lnas bench`: benchmarks built, imported and shown."""
