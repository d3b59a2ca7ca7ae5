"""What is produced, and how it is computed; the folders stand in the order in which data flows."""
