"""How many examples property tests try: few where people wait, 10,000 at night (TEST_DEPTH=nightly).

By day they are the same each time, so that a change is never blamed for what chance found; the night looks further.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

NIGHTLY = os.environ.get("TEST_DEPTH") == "nightly"
settings.register_profile("day", derandomize=True, deadline=None)
settings.register_profile("night", deadline=None)
settings.load_profile("night" if NIGHTLY else "day")


def tries(few: int) -> settings:
    """Settings of one property test; `few`: examples where it is not night."""
    return settings(
        max_examples=10_000 if NIGHTLY else few,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
