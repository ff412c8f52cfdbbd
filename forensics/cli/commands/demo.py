"""keytrail demo"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from forensics.analysis.context import catalogue, window_of
from forensics.analysis.refresh import hunt_case
from forensics.analysis.row_files import write_rows
from forensics.analysis.timeline import timeline_rows
from forensics.analysis.verdicts import exposure_case
from forensics.cli.commands.report import next_report, write_report
from forensics.cli.console import out, say
from forensics.cli.options import TOOL
from forensics.cli.reading_progress import reading_progress
from forensics.evidence.log_integrity import check_logs
from forensics.evidence.seal import seal
from forensics.evidence.verify import verify
from forensics.ingest.discover import discover
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import system_clock
from forensics.model.errors import ExitCode
from forensics.model.outcome import State
from forensics.resources import samples_folder
from forensics.store.case_folder import CaseFolder, init_case
from forensics.store.duckdb_engine import DuckDBEngine


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("demo", rich_help_panel=TOOL)
    def demo(
        output: Annotated[Path, typer.Option("--output", help="Folder for the runs; each gets a number.")] = Path(
            "keytrail-demo"
        ),
    ) -> int:
        """Run the main job on the sample incident, end to end: init to verify."""
        number = 1
        while (root := output / f"{number:03d}").exists():
            number += 1
        return run_demo(root)


def run_demo(root: Path) -> int:
    """Run every step below `root`; return 0, or 5 when the package does not verify."""
    samples = samples_folder()
    say(f"init     {root / 'case'}")
    folder = init_case(root / "case", system_clock, (samples / "case.toml").read_bytes())
    with reading_progress(discover([samples])) as update:
        result = ingest(folder, [samples], IngestOptions(by=folder.settings().examiner), update)
    r = result.records
    say(
        f"ingest   {r['seen']} records = {r['accepted']} accepted + {r['duplicate']} duplicate + {r['defect']} defect + {r['out_of_scope']} out of scope"
    )
    logs = check_logs(folder, system_clock)
    states = Counter(v.state for v in logs.checked.logs)
    say("verify-logs " + ", ".join(f"{number} {state}" for state, number in sorted(states.items())))
    hunted, _ = hunt_case(folder, catalogue(), system_clock)
    say(
        f"hunt     {len(hunted.outcomes)} queries, {sum(o.state == State.FINDING for o in hunted.outcomes)} with findings, {len(hunted.findings)} findings"
    )
    exposed = exposure_case(folder, catalogue(), system_clock)
    say("exposure " + ", ".join(f"{a['customer']}: {a['verdict']}" for a in exposed.answers))
    rows = _timeline(folder, root / "timeline.csv")
    say(f"timeline {rows} rows in {root / 'timeline.csv'}")
    report = next_report(folder)
    rendered = write_report(folder, report)
    say(f"report   {len(rendered.html)} bytes")
    sealed = seal(folder, root / "package", system_clock)
    say(f"package  {sealed.files} files, digest {sealed.digest}")
    checked = verify(sealed.path, system_clock)
    say("verify   " + ", ".join(f"{name}: {state}" for name, state in checked.levels.items()))
    out()
    for sentence in rendered.sentences:
        out(sentence)
    out()
    out(f"report:  {report}")
    out(f"package: {sealed.path}")
    return int(checked.exit_code if checked.exit_code != ExitCode.FINDINGS else ExitCode.DONE)


def _timeline(folder: CaseFolder, path: Path) -> int:
    connection = folder.reader()
    try:
        window = window_of(connection, folder.settings())
        rows = timeline_rows(DuckDBEngine(connection), catalogue().by_id("timeline.activity"), window)
    finally:
        connection.close()
    write_rows(rows, path, "csv")
    return len(rows.rows)
