"""A record inside an archive leads to the exhibit that the archive is."""

from __future__ import annotations

import io
import zipfile

from forensics.ingest.run import IngestOptions, ingest
from forensics.report.reading import CaseReading
from tests.building import delivery, event, new_case


def test_content_of_a_member_names_the_exhibit_of_its_archive(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.json", delivery([event(1)]))
    (tmp_path / "logs.zip").write_bytes(packed.getvalue())
    case = new_case(tmp_path)
    ingest(case, [tmp_path / "logs.zip"], IngestOptions())
    connection = case.reader()
    try:
        reading = CaseReading(connection, case.settings(), [])
        [content] = [row["c"] for row in reading.rows("SELECT DISTINCT content_sha256 AS c FROM occurrence")]
        assert reading.exhibits[content] == "S0001"
    finally:
        connection.close()
