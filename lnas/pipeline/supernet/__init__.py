"""`lnas supernet`: train a supernet and watch what it learns to rank."""
