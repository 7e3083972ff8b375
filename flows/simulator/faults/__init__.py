"""Faults that can be planted in simulated extracts, and how they are planted."""
