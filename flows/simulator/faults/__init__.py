"""Faults that can be planted in made-up extracts, and the planting of them."""
