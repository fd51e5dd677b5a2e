"""NAS-Bench-301: surrogates that predict the accuracy of any architecture of the DARTS space."""
