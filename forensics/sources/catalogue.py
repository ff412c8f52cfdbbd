"""Which log formats there are: every module of this package that has a SOURCE."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable

from forensics import sources
from forensics.sources.protocol import Probe, Source


def by_id(found: Iterable[Source]) -> dict[str, Source]:
    """Return sources by id, in the order of ids. Raises ValueError when two have one id."""
    named: dict[str, Source] = {}
    for source in found:
        if source.id in named:
            raise ValueError(f"two log formats have the id {source.id!r}")
        named[source.id] = source
    return dict(sorted(named.items()))


@functools.cache
def _loaded() -> dict[str, Source]:
    names = sorted(module.name for module in pkgutil.iter_modules(sources.__path__))
    modules = [importlib.import_module(f"{sources.__name__}.{name}") for name in names]
    return by_id(module.SOURCE for module in modules if hasattr(module, "SOURCE"))


def catalogue() -> dict[str, Source]:
    """Return every log format by its id. Raises ValueError when two have one id."""
    return dict(_loaded())


def recognise(probe: Probe) -> list[tuple[Source, str]]:
    """Return all formats that claim a file, each with its reason; more than one is a fault of the formats."""
    claims = ((source, source.recognise(probe)) for source in catalogue().values())
    return [(source, reason) for source, reason in claims if reason]
