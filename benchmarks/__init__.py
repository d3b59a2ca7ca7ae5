"""Measured against floors in one run (design, section 8): `make bench`, or `python -m benchmarks`."""
