"""What every test run loads: the collector of the queries' cases, what tests it, and the order for several workers."""

from __future__ import annotations

import gc

import pytest

pytest_plugins = ("tests.plugin_cases", "pytester")

#: Fixtures that take many seconds to make: the sample incident, and a sealed package.
_DEAR = {"made_sample_case", "made"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the modules with dear fixtures first where several workers share the tests, else leave the order.

    Each worker begins with a stretch of its own: one makes the sample while the other has no need to wait for it or to
    seal a package again, and the longest tests are not the last, when the other worker has nothing left to do.
    """
    if hasattr(config, "workerinput"):
        dear = {item.path for item in items if _DEAR & set(getattr(item, "fixturenames", ()))}
        items.sort(key=lambda item: item.path not in dear)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Take what was collected out of the garbage collector's sight: it stays, and each full collection would walk it."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter clear at its end what it would clear without us."""
    gc.unfreeze()
