"""Lists of API keys of an OpenAI organisation or project, registered only.

https://platform.openai.com/docs/api-reference/project-api-keys
"""

from __future__ import annotations

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

_OBJECTS = ("organization.admin_api_key", "organization.project.api_key")


class OpenAIKeys:
    """Lists of keys, registered only."""

    id = "openai_keys"
    title = "OpenAI API keys"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/project-api-keys"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the object name of the first key."""
        return "API keys with redacted_value" if inside(probe.sample, "object") in _OBJECTS else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = OpenAIKeys()
