"""Simulated extracts as files: what a site knew, how its files look, and how they are written."""
