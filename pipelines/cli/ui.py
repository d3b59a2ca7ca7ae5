"""`licenses ui`: Dagster's web server and daemon on the data directory's instance."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from pipelines import settings as settings_module
from pipelines.cli.run import sandbox_data, wants_sandbox
from pipelines.cli.sandbox import SANDBOX_KEY
from pipelines.cli.snapshot import require_place
from pipelines.instance import instance
from pipelines.settings import KEY


def serve(port: int) -> None:
    """Run `dagster dev` until interrupted; without a key, on the sandbox organization, which is served meanwhile."""
    settings = settings_module.load()
    out = Console(highlight=False, soft_wrap=True)
    if not wants_sandbox(settings):
        _dagster(out, settings.data.root, port)
        return
    from pipelines.sandbox import Organization, create_app, serving

    out.print("[bold]This is a sandbox:[/bold] a pretend company, because ANTHROPIC_ADMIN_KEY is not set.")
    with serving(create_app(Organization(), clock=lambda: datetime.now(UTC))) as url:
        os.environ |= {"ANTHROPIC_BASE_URL": url, KEY: SANDBOX_KEY}
        _dagster(out, sandbox_data(settings).root, port)


def _dagster(out: Console, root: Path, port: int) -> None:
    from assets.layout import DataDirectory
    from pipelines.running import end_dead_runs

    os.environ["LICENSES_DATA_DIR"] = str(root)
    data = DataDirectory(root)
    require_place(data)
    with instance(data) as opened:
        end_dead_runs(opened, data)
    out.print(f"Dagster's UI is coming up on http://127.0.0.1:{port} (runs and days of {root}).", markup=False)
    out.print(
        "The schedule nightly_at_two is on: from 02:00 UTC, every hour until the day before is taken whole; fill_gaps "
        "fills days that nobody observed. Ctrl-C ends it all."
    )
    dagster = Path(sys.executable).with_name("dagster")
    workspace = Path(__file__).resolve().parents[2] / "workspace.yaml"
    with subprocess.Popen([dagster, "dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]) as process:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.terminate()  # it ends its own children, and whoever waits for it waits for them
