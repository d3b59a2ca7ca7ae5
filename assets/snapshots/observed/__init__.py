"""A day from its own landing: who held what when it closed, and what the reports told of use."""
