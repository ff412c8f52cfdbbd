"""Find the sections of the report: one template a section, in the order of their file names.

A section begins with a comment `{# --- ... --- #}` that holds TOML: `title`, and `needs`, the names of the view
model it uses. It sees nothing else.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.model.errors import UsageFault

_HEADER = re.compile(r"\A\{#\s*---\n(.*?)\n---\s*#\}", re.DOTALL)
_NAME = re.compile(r"(\d\d)_([a-z][a-z0-9_]*)\.html\.j2")


@dataclass(frozen=True, slots=True)
class Section:
    """A section: number, anchor, title, template name and the names of the view model it needs."""

    number: int
    anchor: str
    title: str
    template: str
    needs: tuple[str, ...]


def find_sections(folder: Path, known: frozenset[str]) -> tuple[Section, ...]:
    """Return the sections below `folder` (the reports folder) in order.

    Raises UsageFault that names all faults: a file of another name, no header, an unknown key or name.
    """
    faults: list[str] = []
    sections: list[Section] = []
    for path in sorted((folder / "sections").glob("*.html.j2"), key=lambda p: p.name):
        name = _NAME.fullmatch(path.name)
        header = _HEADER.match(path.read_text(encoding="utf-8"))
        if not name or not header:
            faults.append(
                f"{path.name}: " + ("no header {# --- ... --- #} at the top" if name else "not named NN_name.html.j2")
            )
            continue
        title, needs, wrong = _read(header[1], known)
        faults += [f"{path.name}: {fault}" for fault in wrong]
        sections.append(Section(int(name[1]), name[2], title, f"sections/{path.name}", needs))
    if not sections and not faults:
        faults.append("no section found")
    if faults:
        raise UsageFault("\n".join(faults), place="reports/sections", hint="correct the section files")
    return tuple(sections)


def _read(text: str, known: frozenset[str]) -> tuple[str, tuple[str, ...], list[str]]:
    try:
        header: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return "", (), [f"header is not valid TOML: {error}"]
    title, needs = header.get("title"), header.get("needs")
    faults = [f"unknown key {key!r}" for key in sorted(set(header) - {"title", "needs"})]
    if not isinstance(title, str) or not title:
        faults.append("title must be text")
    if not isinstance(needs, list) or not all(isinstance(n, str) for n in needs):
        return str(title), (), [*faults, "needs must be a list of names"]
    faults += [f"needs unknown name {n!r}" for n in needs if n not in known]
    return str(title), tuple(needs), faults
