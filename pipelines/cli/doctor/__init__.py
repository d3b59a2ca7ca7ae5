"""What `licenses check` looks at, one module a subject. Everything here only reads."""
