"""The wording of the pages on money: what their tables show (`tables.py`), and every other sentence (`page.py`)."""
