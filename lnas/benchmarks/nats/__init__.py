"""NATS-Bench: its official files, and tables that others extracted from them."""
