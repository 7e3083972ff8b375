"""What is done: the run, its steps, and where things lie. What is true is in `schemas`."""

__version__ = "0.2.0"
