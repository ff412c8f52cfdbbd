"""Receipts as a table: which received file belongs to whom. Read with the case, not as evidence.

CSV with the columns path and owner; a path may name a folder.
"""

from __future__ import annotations

from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect


class ReceiptTable:
    """A table of receipts, recognised only."""

    id = "receipt_table"
    title = "Receipt table"
    provider = ""
    reference = "Keytrail's own form, described in this module"
    reader_version = "1"
    table = ""

    def recognise(self, probe: Probe) -> str:
        """Recognise by the columns path and owner."""
        names = {name.strip().lower() for name in probe.header}
        claimed = probe.form == "csv" and names >= {"path", "owner"} and not names >= {"customer", "provider"}
        return "columns path and owner" if claimed else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: it is registered whole."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the file is registered as evidence."""
        return Reading([RowOrDefect(r, out_of_scope="registered, not yet checked") for r in document.records])


SOURCE = ReceiptTable()
