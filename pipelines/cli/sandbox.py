"""`licenses sandbox`: the stand-in organization, served until interrupted."""

from datetime import UTC, datetime

from rich.console import Console

SANDBOX_KEY = "sk-ant-admin01-sandbox"


def serve(port: int, seed: str, at: datetime | None) -> None:
    """Serve it on loopback; says first how to point the pipeline at it."""
    from pipelines.sandbox import Clock, Organization, create_app, run

    out = Console(highlight=False, soft_wrap=True)
    out.print(f"The sandbox organization (pretend data) is on http://127.0.0.1:{port}. In another terminal:")
    out.print(f"  export ANTHROPIC_BASE_URL=http://127.0.0.1:{port} ANTHROPIC_ADMIN_KEY={SANDBOX_KEY}")
    out.print("  export LICENSES_DATA_DIR=data/sandbox")
    clock = Clock(at.replace(tzinfo=UTC)).now if at else lambda: datetime.now(UTC)
    run(create_app(Organization(seed), clock=clock), port)
