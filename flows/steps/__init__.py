"""The steps of a run, one package or module each. Steps never import each other.

The shapes that pass between them are in `flows/deliveries` and `schemas/audit`.
"""
