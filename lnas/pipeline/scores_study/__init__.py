"""The study of stored scores: what estimators are worth beside a benchmark, from files alone."""
