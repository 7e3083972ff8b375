"""Implementations of the commands of `cli.py`, one module per group, imported only when a command needs it."""
