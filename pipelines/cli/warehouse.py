"""Opening the warehouse for reading: how that is done is the warehouse's own affair."""

from assets.warehouse.reading import opened

__all__ = ["opened"]
