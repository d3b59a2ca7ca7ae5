"""The warehouse into what finance looks at and signs; no figure is computed here that SQL has not given."""
