"""Made-up extracts of the pilot sites, with planted faults and the truth about them.

`simulate.simulate` makes people (`population.py` from `people.py`, `episodes.py` and `work.py`, by the assumptions in
`programmes.py`), shows what each site knew at each month's end (`extract.py`), plants faults (`faults*.py`,
`planting.py`) and writes files in each site's own shape (`shapes.py`, `files.py`). Nobody in them exists: every
reference carries SIM.
"""
