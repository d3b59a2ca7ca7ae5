"""Dagster's edge: names, what the steps of a run tell of the days, failures as sentences. Knows no table."""
