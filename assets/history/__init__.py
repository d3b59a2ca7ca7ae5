"""All days of all organizations together: who held what since when, and how well that is known. Prices nothing."""
