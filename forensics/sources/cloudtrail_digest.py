"""Digest files of CloudTrail: signed lists of the log files that were delivered in an hour.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

#: Names that every digest has.
DIGEST_NAMES = frozenset({"digestStartTime", "digestS3Object", "logFiles"})


class CloudTrailDigest:
    """Digest files, registered for checking against the log files."""

    id = "cloudtrail_digest"
    title = "CloudTrail digest file"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the names that every digest has."""
        claimed = probe.form in {"json", "ndjson"} and probe.keys >= DIGEST_NAMES
        return "digestStartTime, digestS3Object and logFiles" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = CloudTrailDigest()
