"""Reading delimited text files: encoding, lines, heading, records."""
