"""The `.env` of whatever directory somebody starts Dagster in: it decides nothing here.

Dagster's commands put that file over the environment of all code locations, even over what is set: a neighbour's
ANTHROPIC_BASE_URL would send our key to another host, and a LICENSES_DATA_DIR would begin a second record. What was
there before is lost by then, so what our own `.env` does not say again is refused, not guessed.
"""

import os
from pathlib import Path

from dotenv import dotenv_values

from assets.errors import WrongUse
from pipelines.installation import places

_OURS = ("LICENSES_", "ANTHROPIC_")
_LEADS_ASTRAY = ("LICENSES_", "ANTHROPIC_BASE_URL")
"""A key in there is used as any other in the environment is: it leads to no other place."""


def set_right() -> None:
    """Put our own `.env` over what stands in the environment just as the current directory's `.env` has it.

    Raises:
        WrongUse: it names a setting that ours does not name.
    """
    foreign, own = Path.cwd() / ".env", places.env_file()
    if not foreign.is_file() or (own.exists() and own.samefile(foreign)):
        return
    ours = _read(own)
    for name, value in _read(foreign).items():
        if not name.startswith(_OURS) or os.environ.get(name) != value:
            continue
        if ours.get(name):
            os.environ[name] = ours[name]
        elif name.startswith(_LEADS_ASTRAY):
            raise WrongUse(
                f"{foreign}, in the current directory, sets {name}, and Dagster puts that over the environment of "
                f"every code location. For this one {own} counts: say there what {name} is, or start Dagster "
                "elsewhere."
            )


def _read(path: Path) -> dict[str, str]:
    try:
        return {name: value for name, value in dotenv_values(path).items() if value}
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{path} cannot be read: {error}. Mend it, or its owner and mode.") from None
