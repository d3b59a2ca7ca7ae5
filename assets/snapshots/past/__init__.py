"""Past days: which source each may come from, and filling them, one whole day after the other."""
