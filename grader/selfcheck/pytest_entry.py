"""What pytest loads where the tool is installed: in an unpacked kit it gives the public checks their fixtures."""

from __future__ import annotations

import pytest

_NAME = "grader-selfcheck"


def pytest_configure(config: pytest.Config) -> None:
    """Elsewhere nothing is imported, and nothing happens."""
    if config.pluginmanager.has_plugin(_NAME) or not (config.rootpath / "checks" / "kit.toml").is_file():
        return
    from grader.errors import GraderError
    from grader.selfcheck.kit import find_kit
    from grader.selfcheck.plugin import SelfChecks

    try:
        plugin = SelfChecks(find_kit(config.rootpath))
    except GraderError as error:
        raise pytest.UsageError(str(error)) from None
    config.pluginmanager.register(plugin, _NAME)
