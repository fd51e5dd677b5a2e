"""`lnas compare`: two results side by side: what differs, by how much, and whether it matters."""
