from __future__ import annotations

import pytest

from forensics.store.case_folder import CaseFolder
from tests.report.case import fill, render


@pytest.fixture(scope="session")
def plain_case(tmp_path_factory: pytest.TempPathFactory) -> CaseFolder:
    return fill(tmp_path_factory.mktemp("report") / "case")


@pytest.fixture(scope="session")
def plain_page(plain_case: CaseFolder) -> str:
    return render(plain_case).html.decode("utf-8")
