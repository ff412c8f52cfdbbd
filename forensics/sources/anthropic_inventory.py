"""Lists of what an Anthropic organisation has beside keys: workspaces, users, service accounts. Registered only.

https://platform.claude.com/docs/en/api/admin
"""

from __future__ import annotations

from collections.abc import Mapping

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect

#: `type` of an element, names it must have (the type alone is a common word), beginning of its id, name of the list.
_LISTS = (
    ("workspace", frozenset({"id", "name", "created_at"}), "wrkspc_", "workspaces of an organisation"),
    ("user", frozenset({"id", "email", "role"}), "user_", "users of an organisation"),
    ("service_account", frozenset({"id", "name"}), "svac_", "service accounts of an organisation"),
)


def _name(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    for kind, names, prefix, title in _LISTS:
        if value.get("type") == kind and value.keys() >= names and str(value["id"]).startswith(prefix):
            return title
    return ""


class AnthropicInventory:
    """Lists that fill no table; each is told by its name."""

    id = "anthropic_inventory"
    title = "Anthropic workspaces, users and service accounts"
    provider = "anthropic"
    reference = "https://platform.claude.com/docs/en/api/admin"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by type, id and names of the first element."""
        return _name(probe.sample)

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Lead to the list of a page, else the value itself."""
        return (probe.container,) if probe.container else ()

    def read(self, document: Document) -> Reading:
        """Answer for each element that it is registered as evidence, and as what."""
        return Reading([_answer(record) for record in document.records])


def _answer(record: RawRecord) -> RowOrDefect:
    if isinstance(record.value, Mapping) and record.value.get("type") == "api_key":
        return RowOrDefect(record, defect="a key among other things: lists of keys are read from files of their own")
    return RowOrDefect(record, out_of_scope=f"{_name(record.value) or 'another kind'}: registered, fills no table")


SOURCE = AnthropicInventory()
