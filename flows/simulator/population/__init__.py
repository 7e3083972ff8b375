"""Simulated people of a site and what happened to them."""
