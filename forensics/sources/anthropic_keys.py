"""Lists of API keys of an Anthropic organisation, registered only.

https://platform.claude.com/docs/en/api/admin/api_keys/list
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect


class AnthropicKeys:
    """Lists of keys, registered only."""

    id = "anthropic_keys"
    title = "Anthropic API keys"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin/api_keys/list"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by type and hint of the first key."""
        sample = probe.sample
        claimed = inside(sample, "type") == "api_key" and isinstance(sample, Mapping) and "partial_key_hint" in sample
        return "API keys with partial_key_hint" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = AnthropicKeys()
