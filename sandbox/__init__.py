"""The sandbox organization: a stand-in Admin API with a made-up company behind it, for trials, tests and demos.

    clock = Clock(datetime(2026, 11, 24, 2, tzinfo=UTC))
    with serving(create_app(Organization(), clock=clock.now)) as url:
        ...

Knows nothing of the rest of the project, and the rest reaches it over HTTP alone.
"""

from sandbox.options import (
    QUICK_FAULTS,
    Fault,
    FaultPlan,
    KeyShape,
    Listing,
    Options,
    RateLimit,
    RetryAfter,
    Stall,
    Switches,
    UsageGeneration,
)
from sandbox.organization import Organization
from sandbox.quirks import Quirks
from sandbox.rows import Plan, State
from sandbox.serve import Clock, run, serving
from sandbox.server import create_app

__all__ = [
    "QUICK_FAULTS",
    "Clock",
    "Fault",
    "FaultPlan",
    "KeyShape",
    "Listing",
    "Options",
    "Organization",
    "Plan",
    "Quirks",
    "RateLimit",
    "RetryAfter",
    "Stall",
    "State",
    "Switches",
    "UsageGeneration",
    "create_app",
    "run",
    "serving",
]
