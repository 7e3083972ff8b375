"""The language in which tables, fields, rules and code lists are stated, and what is derived from them."""
