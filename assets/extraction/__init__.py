"""The Admin API, page by page, into the raw landing. Knows no license types and no SQL."""
