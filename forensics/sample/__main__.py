"""`python -m forensics.sample --output DIR`: write the sample incident."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from forensics.sample.generate import generate
from forensics.sample.story import CAST, Settings
from forensics.sample.trail_plan import TooFewEventsError


def _parser() -> argparse.ArgumentParser:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m forensics.sample", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write, new or empty")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--events", type=int, default=usual.events, help="distinct CloudTrail events")
    parser.add_argument("--files", type=int, default=usual.files, help="CloudTrail log files, about")
    parser.add_argument("--customers", type=int, default=usual.customers, help=f"at least {len(CAST)}")
    parser.add_argument("--weeks", type=int, default=usual.weeks, help="ordinary weeks before the incident")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Write the folder and say what it holds; 2 where the arguments do not fit."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.customers < len(CAST) or given.weeks < 1 or given.files < 2:
        parser.error(f"at least {len(CAST)} customers, one week and two files")
    if given.output.exists() and any(given.output.iterdir()):
        parser.error(f"{given.output} is not empty")
    settings = Settings(given.seed, given.events, given.files, given.customers, given.weeks)
    try:
        written = generate(given.output, settings)
    except TooFewEventsError as fault:
        parser.error(str(fault))
    sys.stdout.write(
        f"{written.records} CloudTrail records ({written.repeats} of them repeats) "
        f"in {written.log_files} files, "
        f"{written.invocations} model invocations, {written.gateway_requests} gateway requests\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
