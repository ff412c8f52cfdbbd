"""Saved S3 metadata of digest files: the signature of a digest is kept there, not in the file.

Forms: one JSON object keyed by S3 key, JSON lines with bucket, key and signature, or the answer of
`head-object` with Metadata.signature.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

_DIGEST = "CloudTrail-Digest"


def _signed(value: object) -> bool:
    """Tell whether a signature is there; whether it is a sound one is for the check to say."""
    return isinstance(inside(value, "signature"), str)


def _is_by_key(value: Mapping[str, object]) -> bool:
    named = any(_DIGEST in key for key in value)
    algorithm = any(inside(member, "signature-algorithm") is not None for member in value.values())
    objects = all(isinstance(member, Mapping) for member in value.values())
    return objects and (named or algorithm) and any(_signed(member) for member in value.values())


class DigestMetadata:
    """Saved metadata, registered for checking signatures."""

    id = "digest_metadata"
    title = "S3 metadata of CloudTrail digests"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by signatures in one of the three forms."""
        sample = probe.sample
        if probe.form not in {"json", "ndjson"} or not isinstance(sample, Mapping):
            return ""
        key, metadata = sample.get("key"), sample.get("Metadata")
        if _signed(sample) and isinstance(key, str) and ("bucket" in sample or _DIGEST in key):
            return "signature of an S3 key"
        if _signed(metadata) and (inside(metadata, "signature-algorithm") or "ETag" in sample):
            return "head-object with Metadata.signature"
        return "signatures by S3 key" if _is_by_key(sample) else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = DigestMetadata()
