"""The collection guide: all steps in order, as text and as a page. `python -m forensics.analysis.collection.guide`."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from forensics.analysis.collection import aws, providers
from forensics.analysis.collection.step import Step, check_given, filled, in_order
from forensics.model.errors import UsageFault

STEPS = (*aws.STEPS, *providers.STEPS)

_HEAD = """# Collecting evidence

Made by `make docs` from `forensics/analysis/collection/`; a test compares the two. `keytrail guide` prints the same with
your values filled in.

The commands only read. Run them with an identity that may only read, note who ran them and when, and hash what they gave
(`sha256sum * > sha256sums.txt`) before you hand it on. Words in capitals stand for your values: put them in quotes. Start
with the first: the order is that of loss. A page that does not come is said on the terminal; an export that stops at its
first page is the commonest reason why a question stays open.

Facts marked *not checked* are as the address states them, and were not tried.
"""


def step(name: str) -> Step:
    """Return a step by its id. Raises UsageFault when there is none."""
    for each in STEPS:
        if each.id == name:
            return each
    raise UsageFault(f"no step {name!r}", hint="`keytrail guide` lists them")


def lines_of(each: Step, given: Mapping[str, str]) -> list[str]:
    """Return a step as plain lines, its commands filled in. Raises UsageFault for a value that no command knows."""
    check_given(given)
    lines = [f"{each.title} ({each.of})", f"gives: {each.gives}"]
    lines.append(f"kept: {each.kept}. {each.fact}{'' if each.checked else ' (not checked)'}")
    lines += [f"note: {note}" for note in each.notes]
    return lines + [filled(command, given) for command in each.commands]


def page() -> str:
    """Return docs/collection.md."""
    parts = [_HEAD]
    for each in in_order(STEPS):
        parts.append(f"## {each.title}\n")
        source = f"[source]({each.fact})" + ("" if each.checked else ", *not checked*")
        parts.append(f"`{each.id}`, {each.of}: {each.gives}.\n\nKept: {each.kept} ({source}).\n")
        parts += [f"{note}\n" for note in each.notes]
        parts += [f"    {filled(command, {})}\n" for command in each.commands]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
