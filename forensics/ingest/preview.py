"""What each file would be taken for, and why, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.ingest.archives import members
from forensics.ingest.discover import discover
from forensics.ingest.material import mask_text
from forensics.ingest.reading import identify
from forensics.ingest.unpack import LIMITS, Content, Limits, archive_kind, unpack


def preview(paths: Sequence[Path], limits: Limits = LIMITS, password: str | None = None) -> list[dict[str, str]]:
    """Return for each file, and each member of an archive, what it would be taken for and why; writes nothing."""
    out: list[dict[str, str]] = []
    for found in discover(paths):
        if found.problem:
            out.append({"path": found.name, "source": "", "why": found.problem})
            continue
        try:
            data = found.path.read_bytes()
        except OSError as error:
            out.append({"path": found.name, "source": "", "why": f"cannot be read: {error.strerror}"})
            continue
        content = unpack(data, limits)
        if archive_kind(content.data):
            for part in members(data, limits, password):
                name = f"{found.name}!{part.path}"
                why = part.problem or part.aside
                out.append(
                    _taken_for(name, unpack(part.data or b"", limits))
                    if not why
                    else {"path": name, "source": "", "why": why}
                )
        else:
            out.append(_taken_for(found.name, content))
    return out


def _taken_for(name: str, content: Content) -> dict[str, str]:
    if content.problem and not content.data:
        return {"path": name, "source": "", "why": content.problem}
    _, _, source, why = identify(content)
    return {"path": name, "source": source.id if source else "", "why": mask_text(why)}
