"""`lnas report`: pages and tables made again from what a store keeps of them."""
