"""The verbs of the run, one a file. They never import each other; what passes between them is in `schemas/audit`."""
