"""Simulated money of a site: a ledger of what truly happened, and the extracts that the site sends of it.

`ledger.py` says what a ledger holds, `site_ledger.py` makes one from a seed, `extracts.py` shows it as the tables of
each dataset, and `ledger_files.py` writes it, so that figures can be compared with it.
"""
