"""Fixtures that several tests share, and the guard that nothing opens a network connection."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import hunt_case
from forensics.analysis.verdicts import exposure_case
from forensics.ingest.run import IngestOptions, ingest
from forensics.store.case_folder import CaseFolder
from tests.building import clock, made_once, new_case
from tests.paths import SAMPLE


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo"} and not (arguments and isinstance(arguments[-1], str)):
        raise RuntimeError(f"the product opened a connection: {event} {arguments}")


sys.addaudithook(_refuse)


@pytest.fixture(scope="session")
def made_sample_case(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    """The sample incident, ingested, hunted and judged once; never changed by a test."""

    def make(folder: Path) -> None:
        case = new_case(folder, (SAMPLE / "case.toml").read_bytes())
        ingest(case, [SAMPLE], IngestOptions())
        hunt_case(case, catalogue(), clock)
        exposure_case(case, catalogue(), clock)

    # A copy for each worker: a store that one process writes to cannot be opened by another.
    root = tmp_path_factory.mktemp("sample") / "case"
    shutil.copytree(made_once(tmp_path_factory, "sample", make) / "case", root)
    return CaseFolder(root, clock)


@pytest.fixture
def sample_case(made_sample_case: CaseFolder, tmp_path: Path) -> CaseFolder:
    """A copy of the sample case that a test may change."""
    root = tmp_path / "sample-case"
    shutil.copytree(made_sample_case.root, root)
    return CaseFolder(root, clock)
