"""`make bench`: ratios within one run, medians of three interleaved rounds. Nothing here is asserted by a test."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import hunt_case
from forensics.analysis.verdicts import exposure_case
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import system_clock
from forensics.store.case_folder import init_case

EVENTS, FILES, ROUNDS = 50_000, 100, 3


def timed(work) -> float:
    """Seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "forensics.sample",
                "--output",
                str(base / "logs"),
                "--events",
                str(EVENTS),
                "--files",
                str(FILES),
            ],
            check=True,
        )
        trail = base / "logs" / "aws" / "AWSLogs" / "111122223333" / "CloudTrail"
        ours, theirs = [], []
        for number in range(ROUNDS):
            case = init_case(base / f"case{number}", system_clock, (base / "logs" / "case.toml").read_bytes())
            ours.append(timed(lambda case=case: ingest(case, [trail], IngestOptions(copy=False))))
            plain = duckdb.connect(str(base / f"plain{number}.duckdb"), config={"threads": "2"})
            sql = f"CREATE TABLE t AS SELECT unnest(Records) FROM read_json('{trail}/**/*.json.gz', maximum_object_size=100000000)"
            theirs.append(timed(lambda plain=plain, sql=sql: plain.execute(sql)))
            plain.close()
        hunt = timed(lambda: hunt_case(case, catalogue(), system_clock))
        exposure = timed(lambda: exposure_case(case, catalogue(), system_clock))
        again = timed(lambda: ingest(case, [trail], IngestOptions(copy=False)))
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"ingest of {EVENTS} events in {FILES} files: {mine:.1f} s ({EVENTS / mine:,.0f} events/s)")
    print(f"DuckDB read_json of the same files: {other:.1f} s; ratio {mine / other:.2f}")
    print(f"second ingest of the same folder: {again:.2f} s; ratio {again / mine:.2f}")
    print(f"hunt over it: {hunt:.1f} s; exposure: {exposure:.1f} s")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
