"""Where real logs for tests are, when they are there."""

from __future__ import annotations

from pathlib import Path

import pytest


def shared_data() -> Path:
    """The folder of real logs beside the repository; the test is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/data with real logs beside the repository")
    return folder
