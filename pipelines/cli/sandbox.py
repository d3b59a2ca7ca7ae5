"""`licenses sandbox`: the stand-in organization, served until interrupted, or its truth on one day."""

import shlex
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from assets.errors import WrongUse
from pipelines.installation import places

if TYPE_CHECKING:
    from sandbox.scenario import Scenario

SANDBOX_KEY = "sk-ant-admin01-sandbox"


def serve(port: int, seed: str, at: datetime | None, file: Path | None) -> None:
    """Serve it on loopback; says first how to point the pipeline at it."""
    from sandbox import Clock, Organization, create_app, run

    options, quirks = _scenario(file)
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"The sandbox organization (pretend data) is on http://127.0.0.1:{port}. In another terminal:")
    out.print(f"  export ANTHROPIC_BASE_URL=http://127.0.0.1:{port} ANTHROPIC_ADMIN_KEY={SANDBOX_KEY}")
    out.print(f"  export LICENSES_DATA_DIR={shlex.quote(str(places.data_directory() / 'sandbox'))}", markup=False)
    clock = Clock(at.replace(tzinfo=UTC)).now if at else lambda: datetime.now(UTC)
    run(create_app(Organization(seed, quirks=quirks), clock=clock, options=options), port)


def dump_truth(day: date, seed: str, file: Path | None) -> None:
    """Print what was true of it when a day closed, as JSON."""
    from sandbox import Organization
    from sandbox.truth import as_json, truth_of

    _, quirks = _scenario(file)
    sys.stdout.write(as_json(truth_of(Organization(seed, quirks=quirks), day)) + "\n")


def _scenario(file: Path | None) -> "Scenario":
    from sandbox.scenario import scenario_of

    try:
        return scenario_of(file.read_text(encoding="utf-8") if file else "")
    except (OSError, ValueError) as error:
        raise WrongUse(f"{file} cannot be used: {error}.") from error
