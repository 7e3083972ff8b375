"""Simulated extracts of the pilot sites, with planted faults and the list of findings to expect.

`simulate.simulate` generates the lives of people (`lives/`, by the assumptions in `programmes.py`), makes the tables of
each dataset of them (`tables/`), cuts what each site knew at each month's end (`files/extract.py`), plants faults
(`faults/`) and writes files in each site's own shape (`files/`). Nobody in them exists: every reference contains SIM.
"""
