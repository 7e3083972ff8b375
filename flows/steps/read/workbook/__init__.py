"""Reading workbooks of every kind, sheet by sheet."""
