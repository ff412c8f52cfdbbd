"""What every test run loads: the collector of the queries' cases, what tests it, and the order for several workers."""

from __future__ import annotations

import pytest

pytest_plugins = ("tests.plugin_cases", "pytester")

_SAMPLE = {"made_sample_case", "sample_case"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the modules over the sample incident first where several workers share the tests, else leave the order.

    Each worker begins with a stretch of its own: one makes the sample while the other has no need to wait for it, and the
    longest tests are not the last ones, at whose end one worker would have nothing left to do.
    """
    if hasattr(config, "workerinput"):
        over_sample = {item.path for item in items if _SAMPLE & set(getattr(item, "fixturenames", ()))}
        items.sort(key=lambda item: item.path not in over_sample)
