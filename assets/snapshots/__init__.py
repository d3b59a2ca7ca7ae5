"""Raw material into `license_assignments`: roles, owners, last use. Asks no API and writes no warehouse."""
