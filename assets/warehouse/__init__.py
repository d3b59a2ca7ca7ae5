"""Snapshots into the relations that analysts ask: built whole, checked, and put in place in one move."""
