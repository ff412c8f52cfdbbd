"""`make bench`: ratios within one run, medians of interleaved rounds. Nothing here is asserted by a test.

The same events lie in many small and in a few large files. Each ingest, and each `read_json` of DuckDB into a table of
a database file, runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from forensics.analysis.context import catalogue
from forensics.analysis.refresh import hunt_case
from forensics.analysis.verdicts import exposure_case
from forensics.evidence.log_integrity import check_logs
from forensics.ingest.run import IngestOptions, ingest
from forensics.model.clock import system_clock
from forensics.store.case_folder import CaseFolder, init_case
from tests.bench_exposure import bench_exposure
from tests.integrity.chain_kit import Kit, key_list, log_key

LARGEST_OBJECT = {"many": 100_000_000, "few": 1_000_000_000}


def timed(work: Callable[[], object]) -> float:
    """Seconds a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(kind: str, trail: Path, target: Path, largest: int) -> None:
    """Do one piece of work in this process and print seconds, peak MiB and the size of the database."""
    if kind == "read_json":
        database = target.with_suffix(".duckdb")
        connection = duckdb.connect(str(database), config={"threads": "2"})
        sql = f"CREATE TABLE t AS SELECT unnest(Records) FROM read_json('{trail}/**/*.json.gz', maximum_object_size={largest})"
        seconds = timed(lambda: connection.execute(sql)) + timed(connection.close)
    else:
        database = target / "case.duckdb"
        if not target.exists():
            init_case(target, system_clock)
        case = CaseFolder(target, system_clock)
        seconds = timed(lambda: ingest(case, [trail], IngestOptions(copy=False)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak, "database": database.stat().st_size}))


def child(kind: str, trail: Path, target: Path, largest: int) -> dict[str, float]:
    """Measure in a new process."""
    command = [sys.executable, "-m", "tests.bench", "--measure", kind, str(trail), str(target), str(largest)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.stdout.write(f"  {kind} failed: {done.stderr.strip().splitlines()[-1:]}\n")
        return {"seconds": float("nan"), "peak": 0, "database": 0}
    return dict(json.loads(done.stdout))


def sample(base: Path, events: int, files: int) -> Path:
    """Write the sample incident; returns the folder of its trail."""
    size = ["--events", str(events), "--files", str(files)]
    subprocess.run([sys.executable, "-m", "forensics.sample", "--output", str(base), *size], check=True)
    return base / "aws" / "AWSLogs" / "111122223333" / "CloudTrail"


def compare(base: Path, name: str, events: int, files: int, rounds: int) -> Path:
    """Compare ingest with read_json over one set of files; returns the last case."""
    trail = sample(base / name, events, files)
    packed = sum(path.stat().st_size for path in trail.rglob("*.json.gz"))
    ours, theirs = [], []
    for number in range(rounds):
        case = base / f"{name}{number}"
        ours.append(child("ingest", trail, case, 0))
        theirs.append(child("read_json", trail, base / f"{name}-plain{number}", LARGEST_OBJECT[name]))
    again = child("ingest", trail, case, 0)
    mine, other = (statistics.median(one["seconds"] for one in found) for found in (ours, theirs))
    size = ours[-1]["database"]
    sys.stdout.write(
        f"{name}: {events:,} events in {files} files, {packed / 1e6:.1f} MB compressed\n"
        f"  ingest {mine:.1f} s ({events / mine:,.0f} events/s), read_json {other:.1f} s, ratio {mine / other:.2f}\n"
        f"  peak memory {max(one['peak'] for one in ours)} MiB, read_json {max(one['peak'] for one in theirs)} MiB\n"
        f"  database {size / 1e6:.1f} MB, {size / packed:.1f} times the compressed input\n"
        f"  second ingest of the same folder {again['seconds']:.2f} s, ratio {again['seconds'] / mine:.2f}\n"
    )
    return case


def compare_logs(base: Path, files: int) -> None:
    """Compare verify-logs with reading, decompressing and hashing the same files alone, on as many threads."""
    kit, hundred = Kit(hours=0), 100
    before: dict[str, Any] | None = None
    for hour in range(files // hundred):
        listed = []
        for number in range(hundred):
            key = log_key(hour, number).replace(".json", f"_{number:03d}.json")
            events = [
                {"eventVersion": "1.11", "eventID": f"{hour}-{number}-{n}", "requestID": f"{hour * n:032x}"}
                for n in range(60)
            ]
            raw = json.dumps({"Records": events}).encode()
            write_file(base / "logs" / key, gzip.compress(raw, mtime=0))
            listed.append(
                {"s3Bucket": "b", "s3Object": key, "hashAlgorithm": "SHA-256", "hashValue": sha256(raw).hexdigest()}
            )
        before = kit.add(hour, before, logFiles=listed)
    for key, raw in kit.digests.items():
        write_file(base / "logs" / key, gzip.compress(raw, mtime=0))
    write_file(base / "logs" / "keys.json", key_list(kit.key))
    write_file(base / "logs" / "metadata.json", json.dumps(kit.metadata).encode())
    case = init_case(base / "logs-case", system_clock)
    ingest(case, [base / "logs"], IngestOptions(copy=False))
    paths = sorted(p for p in (base / "logs").rglob("*") if p.is_file())

    def alone() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(hashed, paths))

    def both(work: Callable[[], object]) -> tuple[float, float]:
        """Wall clock and processor time: the second says more on a machine that is busy with other things."""
        before = time.process_time()
        return timed(work), time.process_time() - before

    rounds = [(*both(lambda: check_logs(case, system_clock)), *both(alone)) for _ in range(3)]
    mine, cpu, other, other_cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
    sys.stdout.write(
        f"verify-logs: {len(paths):,} files {mine:.1f} s, hashed alone {other:.1f} s, ratio {mine / other:.2f};"
        f" processor {cpu:.1f} s and {other_cpu:.1f} s, ratio {cpu / other_cpu:.2f}\n"
    )


def write_file(path: Path, data: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def hashed(path: Path) -> str:
    """Read, hash, decompress and hash again."""
    data = path.read_bytes()
    sha256(data).digest()
    return sha256(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).hexdigest()


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure ingest, hunt and exposure.")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--many", type=int, default=1_000, help="files of the first set")
    parser.add_argument("--few", type=int, default=5, help="files of the second set")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--logs", type=int, default=100_000, help="log files for verify-logs")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        kind, trail, target, largest = given.measure
        measure(kind, Path(trail), Path(target), int(largest))
        return
    with tempfile.TemporaryDirectory() as name:
        bench_exposure(Path(name))
        compare_logs(Path(name), given.logs)
        compare(Path(name), "few", given.events, given.few, given.rounds)
        case = CaseFolder(compare(Path(name), "many", given.events, given.many, given.rounds), system_clock)
        hunt = timed(lambda: hunt_case(case, catalogue(), system_clock))
        exposure = timed(lambda: exposure_case(case, catalogue(), system_clock))
    sys.stdout.write(f"hunt over it: {hunt:.1f} s; exposure: {exposure:.1f} s\n")


if __name__ == "__main__":
    main()
