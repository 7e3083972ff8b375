"""The contract language: classes for tables, fields, rules and code lists, and what is derived from them."""
