"""`lnas retrain`: train chosen architectures in full, and keep what they come to."""
