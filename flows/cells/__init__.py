"""One cell: parsing its text, detecting personal data in it, redacting it; and a column of texts as distinct values."""
