"""The marked workbook: the sender's own file with the bad cells marked and explained.

`marking.py` makes the workbook of a file or says why there is none, `workbook.py` writes it.
"""
