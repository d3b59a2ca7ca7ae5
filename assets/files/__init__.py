"""Files, whole or not at all: writing, publishing, and finding those that are damaged. Knows no snapshot."""
