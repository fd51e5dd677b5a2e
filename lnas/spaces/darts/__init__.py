"""The DARTS space, which is that of NAS-Bench-301: cells, their symmetries and notation, published genotypes."""
