"""Measured against floors in one run (docs/design.md, What it costs): `make bench`, or `python -m benchmarks`."""
