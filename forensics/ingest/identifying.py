"""Say what a file's content is: its text, the format that claims it, and why."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.ingest import parquet_rows
from forensics.ingest.probe import probe_text
from forensics.ingest.unpack import Content, binary_kind, decode
from forensics.sources.catalogue import recognise
from forensics.sources.protocol import Probe, Source

_MOST_NAMES, _LONGEST = 8, 60


def identify(content: Content, maps: Sequence[Source] = ()) -> tuple[str, Probe, Source | None, str]:
    """Return (text, probe, source or None, why or why not) for a file's content.

    A column map that claims a file goes before the formats: whoever gave it said so.
    """
    parquet = content.data.startswith(parquet_rows.MAGIC)
    kind = "" if parquet else binary_kind(content.data)
    if kind:
        return "", Probe("binary"), None, f"{kind}: not read by this version"
    text, notes = (parquet_rows.text_of(content, content.limits), []) if parquet else decode(content.data)
    content.notes.extend(notes)
    probe = parquet_rows.probe_rows(text) if parquet else probe_text(text)
    if probe.form == "empty":
        return text, probe, None, "empty file" if not content.data else "empty content"
    others = recognise(probe)
    mapped = [(source, why) for source in maps if (why := source.recognise(probe))]
    claims = mapped or others
    if len(mapped) == 1 and others:
        content.notes.append("the column map was used instead of " + ", ".join(source.id for source, _ in others))
    if len(claims) == 1:
        return text, probe, claims[0][0], claims[0][1]
    if claims:
        return text, probe, None, "taken for " + " and ".join(sorted(s.id for s, _ in claims)) + ": not read"
    return text, probe, None, _unknown(probe)


def _unknown(probe: Probe) -> str:
    if probe.form == "csv":
        return "unknown format: CSV with columns " + _named(probe.header)
    if probe.form == "parquet":
        columns = _named(sorted(probe.keys))
        return (
            f"unknown format: Parquet with columns {columns}" if columns else "no records: a Parquet file without rows"
        )
    if probe.form in {"json", "ndjson"}:
        if probe.sample is None and not probe.keys:
            bare = probe.text_head[:8].split()
            empty = "".join(bare)[:2] in ("[]", "{}")
            return "no records: an empty list or object" if empty else "no records: an empty or broken JSON value"
        names = _named(sorted(probe.keys))
        if probe.container and probe.sample is None:
            return (
                f"no records: the list {probe.container} is empty, so nothing tells what was asked for (names {names})"
            )
        return f"unknown format: JSON with names {names}" if names else "unknown format: JSON without names"
    if "[case]" in probe.text_head:
        return "settings of a case, not evidence"
    return "unknown format: text"


def _named(names: Sequence[str]) -> str:
    """Return the first names, each cut where it is long: a name may have megabytes."""
    short = [name if len(name) <= _LONGEST else name[:_LONGEST] + "..." for name in names[:_MOST_NAMES]]
    return ", ".join(short)
