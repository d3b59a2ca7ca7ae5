"""`licenses ui`: Dagster's web server and daemon on the data directory's instance."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from pipelines import settings as settings_module
from pipelines.automation import SENSOR as AUTOMATION
from pipelines.cli.run import sandbox_data, wants_sandbox
from pipelines.cli.sandbox import SANDBOX_KEY
from pipelines.cli.snapshot import require_place
from pipelines.installation.instance import VARIABLE, instance, prepare_home
from pipelines.schedule import GAPS_SCHEDULE, SCHEDULE
from pipelines.settings import KEY, Settings, Switch

SCHEDULES = "LICENSES_SCHEDULES"


def serve(port: int) -> None:
    """Run `dagster dev` until interrupted; without a key, on the sandbox organization, which is served meanwhile."""
    settings = settings_module.load()
    out = Console(highlight=False, soft_wrap=True)
    if not wants_sandbox(settings):
        _dagster(out, settings, settings.data.root, port)
        return
    from sandbox import Organization, create_app, serving

    out.print("[bold]This is a sandbox:[/bold] a pretend company, because ANTHROPIC_ADMIN_KEY is not set.")
    with serving(create_app(Organization(), clock=lambda: datetime.now(UTC))) as url:
        os.environ |= {"ANTHROPIC_BASE_URL": url, KEY: SANDBOX_KEY}
        _dagster(out, settings, sandbox_data(settings).root, port, pretend=True)


def _dagster(out: Console, settings: Settings, root: Path, port: int, *, pretend: bool = False) -> None:
    from assets.layout import DataDirectory
    from pipelines.running import end_dead_runs

    os.environ["LICENSES_DATA_DIR"] = str(root)
    data = DataDirectory(root)
    require_place(data)
    with instance(data, pretend=pretend) as opened:
        end_dead_runs(opened, data)
    os.environ[VARIABLE] = str(prepare_home(data, pretend=pretend))
    out.print(f"Dagster's UI is coming up on http://127.0.0.1:{port} (runs and days of {root}).", markup=False)
    out.print(f"{_started(settings)} Ctrl-C ends it all.", markup=False)
    dagster = Path(sys.executable).with_name("dagster")
    workspace = Path(__file__).resolve().parents[2] / "workspace.yaml"
    # Dagster puts the `.env` of its current directory over the environment: there must be none.
    with (
        TemporaryDirectory(prefix="licenses-ui-") as empty,
        subprocess.Popen([dagster, "dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)], cwd=empty) as process,
    ):
        try:
            process.wait()
        except KeyboardInterrupt:
            process.terminate()  # it ends its own children, and whoever waits for it waits for them


def _started(settings: Settings) -> str:
    """Start schedules and sensors by default, unless somebody has said otherwise; whoever has stopped one in the UI
    has stopped it. Says what is on."""
    if SCHEDULES not in os.environ:
        os.environ[SCHEDULES] = Switch.ON.value
    elif settings.licenses_schedules is Switch.OFF:
        return f"Schedules and sensors are not started by this ({SCHEDULES} is off): the UI can, under Automation."
    night = settings.names.name(AUTOMATION if settings.licenses_automation is Switch.ON else SCHEDULE)
    gaps = settings.names.name(GAPS_SCHEDULE)
    return (
        f"{night} is on, unless it was stopped in the UI: from 02:00 UTC, every hour until the day before is taken "
        f"whole; {gaps} fills days that nobody observed."
    )
