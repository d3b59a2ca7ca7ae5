"""A day from a file that somebody kept, by a mapping of its headers and words. Asks no API."""
