"""Public keys that check the signatures of CloudTrail digests, as `list-public-keys` gives them.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

_LISTS = frozenset({"PublicKeyList", "publicKeyList"})
_KEY = frozenset({"Value", "Fingerprint", "ValidityStartTime"})


class CloudTrailPublicKeys:
    """Public keys, registered for checking signatures."""

    id = "cloudtrail_public_keys"
    title = "CloudTrail public keys"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the list of public keys, or by a bare key."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        if probe.keys & _LISTS:
            return "a list of public keys"
        return "public keys" if isinstance(probe.sample, Mapping) and probe.sample.keys() >= _KEY else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = CloudTrailPublicKeys()
