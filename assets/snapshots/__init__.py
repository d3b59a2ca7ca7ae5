"""Raw material into `license_assignments`: roles, owners, last use. Asks no API but the feed; writes no warehouse."""
