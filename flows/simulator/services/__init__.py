"""What a simulated site does besides supporting people: its staff, the training that it gives, and its reviews."""
