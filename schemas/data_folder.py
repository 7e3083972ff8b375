"""The names of what people put into the data folder, beside what sites send."""

CORRECTIONS = "corrections.csv"  # errors in what sites sent that they agreed to: see corrections.py
