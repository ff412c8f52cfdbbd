"""One small case and its package, made once; tests change copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from forensics.evidence.seal import Sealed, seal
from forensics.store.case_folder import CaseFolder
from tests.evidence.sealing import Ticking, copy_of, make_case


@dataclass(frozen=True)
class Made:
    """The case and what was sealed from it."""

    case: CaseFolder
    sealed: Sealed


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("sealing")
    case = make_case(folder)
    return Made(case, seal(case, folder / "package", Ticking(), zip_too=True))


@pytest.fixture
def package(made: Made, tmp_path: Path) -> Path:
    return copy_of(made.sealed.path, tmp_path)
