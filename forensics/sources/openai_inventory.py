"""Lists of what an OpenAI organisation has beside keys: users, projects, service accounts, limits. Registered only.

https://platform.openai.com/docs/api-reference/administration
"""

from __future__ import annotations

from forensics.model.fields import inside, plain
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect

#: Object name of an element and what the list is called.
_LISTS = {
    "organization.user": "users of an organisation",
    "organization.invite": "invitations to an organisation",
    "organization.project": "projects of an organisation",
    "organization.project.user": "users of a project",
    "organization.project.service_account": "service accounts of a project",
    "organization.spend_alert": "spend alerts of an organisation",
    "project.rate_limit": "rate limits of a project",
}
_KEYS = ("organization.admin_api_key", "organization.project.api_key")


def _name(value: object) -> str:
    return _LISTS.get(plain(inside(value, "object")) or "", "")


class OpenAIInventory:
    """Lists that fill no table; each is told by its name."""

    id = "openai_inventory"
    title = "OpenAI users, projects, service accounts and limits"
    provider = "openai"
    reference = "https://platform.openai.com/docs/api-reference/administration"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the object name of the first element."""
        return _name(probe.sample)

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of a page, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Answer for each element that it is registered as evidence, and as what."""
        return Reading([_answer(record) for record in document.records])


def _answer(record: RawRecord) -> RowOrDefect:
    if inside(record.value, "object") in _KEYS:
        return RowOrDefect(record, defect="a key among other things: lists of keys are read from files of their own")
    return RowOrDefect(record, out_of_scope=f"{_name(record.value) or 'another kind'}: registered, fills no table")


SOURCE = OpenAIInventory()
