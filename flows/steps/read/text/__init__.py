"""Reader of delimited text files (CSV and the like): encoding, lines, heading, records."""
