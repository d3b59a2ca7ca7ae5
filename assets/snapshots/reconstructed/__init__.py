"""A day from a later snapshot, rolled back by the Activity Feed; and how well the two agree."""
