"""What is done: the night, its steps, and where things lie. What is true is in `schemas`."""
