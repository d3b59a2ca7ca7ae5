"""Opening the warehouse for reading, how that is done is its own affair; and what is said where it was built again."""

from assets.warehouse.reading import opened

__all__ = ["opened"]

BUILT_AGAIN = "The warehouse did not show what the files say: it was built again."
