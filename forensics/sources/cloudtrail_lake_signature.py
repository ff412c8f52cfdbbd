"""Signatures of CloudTrail Lake query results: `result_sign.json`, a signed list of the result files and their hashes.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-query-results-validation.html
"""

from __future__ import annotations

from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

_NAMES = frozenset({"files", "hashSignature", "publicKeyFingerprint"})


class LakeSignature:
    """Signature files, registered for checking against the result files."""

    id = "cloudtrail_lake_signature"
    title = "Signature of CloudTrail Lake query results"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-query-results-validation.html"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the names that every signature has."""
        claimed = probe.form in {"json", "ndjson"} and probe.keys >= _NAMES
        return "files, hashSignature and publicKeyFingerprint" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = LakeSignature()
