"""In a real browser nothing is blocked, nothing fails, and no script from a log runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.report.case import fill, render
from tests.report.hostile import HOSTILE
from tests.report.test_hostile import VOCABULARY, replacing

pytestmark = pytest.mark.browser
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync --enable-logging=stderr --virtual-time-budget=3000 --dump-dom"
).split()


def browser() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing and CI must have it")
        pytest.skip("Chromium is not installed")
    return found


def opened(page: Path, profile: Path) -> tuple[str, list[str]]:
    """Return the document after its scripts ran, and the lines the page wrote to the console."""
    done = subprocess.run(
        [browser(), *_FLAGS, f"--user-data-dir={profile}", page.as_uri()], capture_output=True, timeout=120, check=True
    )
    said = done.stderr.decode("utf-8", "replace").splitlines()
    return done.stdout.decode("utf-8", "replace"), [line for line in said if "CONSOLE" in line]


@pytest.mark.parametrize("attacked", [False, True], ids=["benign", "hostile"])
def test_page_opens_without_violation_and_without_foreign_script(attacked: bool, tmp_path: Path) -> None:
    folder = fill(tmp_path / "case", replacing(HOSTILE), spare=VOCABULARY) if attacked else fill(tmp_path / "case")
    page = tmp_path / "report.html"
    page.write_bytes(render(folder).html)
    dom, console = opened(page, tmp_path / "profile")
    assert console == []
    assert 'title="Sort by this column"' in dom  # our own script ran
    assert "data-pwned" not in dom
    assert "<title>pwned" not in dom


def test_the_check_sees_a_violation(tmp_path: Path) -> None:
    """The negative control: a script that the policy does not know is blocked, and the console says so."""
    page = tmp_path / "report.html"
    text = render(fill(tmp_path / "case")).html.decode()
    page.write_text(
        text.replace("</main>", "<script>document.documentElement.dataset.pwned=1</script></main>"), encoding="utf-8"
    )
    dom, console = opened(page, tmp_path / "profile")
    assert console
    assert "data-pwned" not in dom
