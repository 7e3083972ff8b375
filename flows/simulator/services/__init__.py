"""What a simulated site does besides: its staff, and later its training and reviews."""
