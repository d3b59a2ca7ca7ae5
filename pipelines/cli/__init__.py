"""The command line, `licenses`. Each command's module is loaded when it is called: start-up stays quick."""

from pipelines.cli.app import main

__all__ = ["main"]
