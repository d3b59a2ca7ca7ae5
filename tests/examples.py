"""How many examples a property is tried on: `quick` in CI, `deep` by `make test-deep`; no test says so for itself.

The numbers are for properties that build a world for each example. One that computes alone bears `@cheap()`, and is
tried on so many more.
"""

from hypothesis import HealthCheck, Phase, settings

UNHINDERED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
"""Worlds are slow and large, and a fixture that holds no state may serve several examples."""

# The same examples each time, so that a build turns red by what was changed in it; a counterexample is made small by
# the deep profile, which may take its time.
settings.register_profile(
    "quick",
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=UNHINDERED,
)
settings.register_profile("deep", max_examples=150, deadline=None, print_blob=True, suppress_health_check=UNHINDERED)


def cheap() -> settings:
    """Of the profile that was chosen: call it where a test is defined."""
    return settings(max_examples=15 * settings.default.max_examples)
