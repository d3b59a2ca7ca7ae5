"""Where this installation keeps its data and its `.env`, wherever it is called from.

Run from a checkout, both are the checkout's; installed as a package, they lie where the XDG base directory
specification puts them. The current directory and a scheduler's idea of it decide nothing: a `.env` that happens to
lie there could send a key to another host, and a `data` there would be a second, empty record.
"""

import os
from pathlib import Path

from assets.errors import WrongUse

NAME = "license-history"
_ABOVE = Path(__file__).resolve().parents[2]
CHECKOUT = _ABOVE if (_ABOVE / "pyproject.toml").exists() else None
"""The folder of the sources, where this runs from them; None where it is installed as a package."""


def data_directory() -> Path:
    """Where the record lies unless LICENSES_DATA_DIR says otherwise."""
    return CHECKOUT / "data" if CHECKOUT else _xdg("XDG_DATA_HOME", ".local/share") / NAME


def env_file() -> Path:
    """The one `.env` that is read."""
    return CHECKOUT / ".env" if CHECKOUT else _xdg("XDG_CONFIG_HOME", ".config") / NAME / ".env"


def absolute(path: Path) -> Path:
    """A path from the settings: a relative one begins beside the `.env`."""
    return env_file().parent / path.expanduser()


def _xdg(variable: str, below_home: str) -> Path:
    """XDG base directory specification: a relative value is invalid and passed over."""
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():
        return named
    try:
        return Path.home() / below_home
    except RuntimeError:
        raise WrongUse(
            f"This user has no home directory, and {variable} is not set: say where the data lies with "
            "LICENSES_DATA_DIR, and set XDG_CONFIG_HOME."
        ) from None
