"""Made-up extracts as files: what a site knew, how its files look, and the writing of them."""
