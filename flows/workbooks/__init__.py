"""The workbooks that go to sites: their own file with the bad cells marked, and a blank one to fill in.

Everything in them is derived from the contracts, the rules and the findings. They import only what is true (schemas).
"""
