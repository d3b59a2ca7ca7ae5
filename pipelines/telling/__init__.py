"""Telling Dagster what lies in the data directory: what it does not know, and whether its green is there."""
