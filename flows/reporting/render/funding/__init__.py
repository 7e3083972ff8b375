"""The pages on money, from the marts of a build: an overview, a page for each programme, a CSV beside each table."""

from flows.reporting.render.funding.pages import INDEX, write_funding_pages

__all__ = ["INDEX", "write_funding_pages"]
