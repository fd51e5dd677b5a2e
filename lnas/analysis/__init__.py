"""What stored measurements say: from records alone, never from live runs. Torch-free."""
