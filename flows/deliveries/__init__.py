"""Deliveries: the shapes that pass between steps, file names, months, corrections, and which deliveries count."""
