"""The lives of a site's simulated people: what truly happened to them, whatever an extract shows of it."""
