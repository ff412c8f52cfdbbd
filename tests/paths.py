"""Where tests find what they need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = REPOSITORY / "sample_logs"


def shared_data(name: str) -> Path:
    """Return a folder of the real logs beside the repository; skips the test where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data" / name
    if not folder.exists():
        pytest.skip(f"real logs are not here: {name}")
    return folder


def need_program(name: str, found: str | None) -> str:
    """Return a system program's path; without it the test is skipped, or fails in CI."""
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing; .ci/run installs it")
    pytest.skip(f"{name} is not installed")
