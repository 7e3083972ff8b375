"""The lives of a site's people as the tables of its datasets.

Columns are the fields of the contracts, and some that no extract has:

    _seen     first day on which an extract holds the row
    _leaf     no other row refers to this one, so a fault in it causes one finding only
    _watched  the person is reserved for faults that show only between two deliveries

Rows of an episode also have the facts in `references.Batch.facts`: dates of its life, and an episode of somebody else.
"""
