"""`lnas study`: what several settings of an estimator are worth, from stored measurements."""
