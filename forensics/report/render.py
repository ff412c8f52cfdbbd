"""Render the report as one self-contained HTML file.

It loads nothing, runs one small script of known hash, and is the same to the byte for the same case, clock and version.

Content Security Policy by hash in a meta element: https://www.w3.org/TR/CSP3/#meta-element
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from forensics.analysis.context import catalogue, catalogue_sha256
from forensics.analysis.credentials.chains import NO_CREDENTIAL
from forensics.model.clock import Clock
from forensics.model.errors import UsageFault
from forensics.queries.catalogue import Catalogue
from forensics.report.context import NAMES, ReportView, build
from forensics.report.escape import FILTERS, counted
from forensics.report.sections import Section, find_sections
from forensics.report.words import ABUSES, VERDICTS, is_or_are, times
from forensics.resources import reports_folder
from forensics.store.basis import stale
from forensics.store.case_folder import CaseFolder

AUDIENCES = ("full",)
CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A report as bytes (UTF-8, LF), and its three most important sentences, safe for a terminal."""

    html: bytes
    sentences: tuple[str, str, str]


def render_report(
    folder: CaseFolder, clock: Clock, *, audience: str = "full", final: bool = False, queries: Catalogue | None = None
) -> RenderedReport:
    """Render the report of a case from what its store holds; reads only, computes nothing anew.

    `queries` are the queries whose texts are shown, the installed ones by default.
    Raises UsageFault for another audience, CaseFault when the store cannot be opened, QueryFault for faulty queries.
    """
    if audience not in AUDIENCES:
        raise UsageFault(f"there is no report for the audience {audience!r}", hint=f"known: {', '.join(AUDIENCES)}")
    known = queries if queries is not None else catalogue()
    connection = folder.reader()
    try:
        outdated = stale(connection, folder, catalogue_sha256(known))
        made_at = clock().astimezone(UTC).replace(tzinfo=None)
        view = build(connection, folder.settings(), known.queries, outdated, made_at, final=final)
    finally:
        connection.close()
    return RenderedReport(page(view, reports_folder()).encode("utf-8"), view.answer.sentences)


def page(view: ReportView, folder: Path) -> str:
    """Return the page of a view model with the templates below `folder`. Raises UsageFault for faulty sections."""
    sections = find_sections(folder, NAMES)
    environment = _environment(folder)
    style, script = (_asset(folder / "theme" / name) for name in ("report.css", "report.js"))
    style = style.replace("@TLP@", view.case.settings.tlp).replace("@STATUS@", view.case.status)
    bodies = [(section, _section(environment, section, view)) for section in sections]
    text = environment.get_template("theme/page.html.j2").render(
        case=view.case,
        answer=view.answer,
        sections=bodies,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=CONTENT_POLICY.format(style=_digest(style), script=_digest(script)),
    )
    return text.rstrip("\n") + "\n"


@lru_cache(maxsize=1)  # it holds the compiled templates
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(str(folder)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        newline_sequence="\n",
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        count=counted,
        is_or_are=is_or_are,
        times=times,
        abuse_words=ABUSES,
        verdict_words=VERDICTS,
        no_credential=NO_CREDENTIAL,
    )
    return environment


def _section(environment: Environment, section: Section, view: ReportView) -> Markup:
    names = {name: getattr(view, name) for name in section.needs if name != "case"}
    text = environment.get_template(section.template).render(case=view.case, section=section, **names)
    return Markup(text)  # noqa: S704 - rendered with autoescape


def _asset(path: Path) -> str:
    return path.read_bytes().decode("utf-8").replace("\r\n", "\n")


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode("utf-8")).digest()).decode("ascii")
