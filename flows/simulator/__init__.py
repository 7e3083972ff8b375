"""Made-up extracts of the pilot sites, with planted faults and the truth about them.

`simulate.simulate` makes people (`population/`, by the assumptions in `programmes.py`), shows what each site knew at
each month's end (`files/extract.py`), plants faults (`faults/`) and writes files in each site's own shape (`files/`).
Nobody in them exists: every reference carries SIM.
"""
