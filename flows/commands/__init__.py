"""What the commands of `cli.py` do, one file for each kind: imported only when a command needs it."""
