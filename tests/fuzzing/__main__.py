"""Fuzz the readers: `python -m tests.fuzzing [--seconds N] [--engine atheris|hypothesis] [--repeat FILE]`.

With atheris (`pip install atheris`, Linux) inputs are led by what code they reach; without it hypothesis mixes and breaks
seeds blindly. An input that fails is written below `fuzz/` under its hash; `--repeat` runs it alone.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.paths import REPOSITORY, SAMPLE

_LARGEST_SEED = 16 * 1024
_PIECES = 40


def seeds() -> Iterator[bytes]:
    """Yield small files of every format that the repository holds: base events, the sample, the hostile corpus."""
    from tests.ingest.test_hostile_corpus import CORPUS
    from tests.ingest.test_locked_archives import AES, OLD

    yield from (AES, OLD)
    for made in CORPUS.values():
        data = made() if callable(made) else made
        if len(data) <= _LARGEST_SEED:
            yield data
    kinds: dict[tuple[str, ...], int] = {}
    for path in sorted([*(REPOSITORY / "tests" / "base_events").iterdir(), *SAMPLE.rglob("*")]):
        kind = (path.parent.name[:4], path.suffix)
        if path.is_file() and path.stat().st_size <= _LARGEST_SEED and kinds.get(kind, 0) < _PIECES:
            kinds[kind] = kinds.get(kind, 0) + 1
            yield path.read_bytes()


def by_hypothesis(run: Callable[[bytes], None], known: list[bytes], seconds: float, seed: int) -> int:
    """Break and mix seeds until the time is over; return how many inputs ran. Raises what the target raises."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    tokens = [
        b"null",
        b"{}",
        b"[]",
        b'"',
        b",",
        b"\x00",
        b"\xff\xfe",
        b"1e400",
        b"NaN",
        b"\\ud800",
        b"[" * 70,
        b"9" * 40,
        b"\n",
    ]
    end, count = time.monotonic() + seconds, 0
    piece = st.sampled_from(known)
    place = st.floats(0, 1)
    change = st.tuples(place, place, st.one_of(st.sampled_from(tokens), st.binary(max_size=6), piece))

    def broken(data: bytes, changes: list[tuple[float, float, bytes]]) -> bytes:
        for start, length, new in changes:
            at = int(start * len(data))
            data = data[:at] + new[:_LARGEST_SEED] + data[at + int(length**4 * len(data)) :]
        return data

    while time.monotonic() < end:

        @seeded(seed + count)
        @settings(
            max_examples=200, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(st.builds(broken, piece, st.lists(change, min_size=1, max_size=4)))
        def one(data: bytes) -> None:
            nonlocal count
            count += 1
            if time.monotonic() < end:
                run(data)

        one()
    return count


def by_atheris(run: Callable[[bytes], None], known: list[bytes], seconds: float, seed: int, folder: Path) -> None:
    """Let atheris lead; it ends the process by itself."""
    atheris: Any = importlib.import_module("atheris")
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in known:
        (corpus / sha256(data).hexdigest()[:16]).write_bytes(data)
    arguments = [
        sys.argv[0], str(corpus), f"-max_total_time={int(seconds)}", f"-seed={seed or 1}", f"-artifact_prefix={folder}/",
        f"-max_len={_LARGEST_SEED}", "-timeout=60", "-rss_limit_mb=4096",
    ]  # fmt: skip
    atheris.Setup(arguments, run)
    atheris.Fuzz()


def _keeping(run: Callable[[bytes], None], folder: Path) -> Callable[[bytes], None]:
    def kept(data: bytes) -> None:
        try:
            run(data)
        except Exception:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{sha256(data).hexdigest()[:16]}.bin"
            path.write_bytes(data)
            sys.stderr.write(f"failed: python -m tests.fuzzing --repeat {path}\n")
            raise

    return kept


def main() -> None:
    """Run the engine that is asked for, else atheris where it is installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--engine", choices=("atheris", "hypothesis"))
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--repeat", type=Path)
    parser.add_argument("--output", type=Path, default=Path("fuzz"))
    given = parser.parse_args()
    has_atheris = importlib.util.find_spec("atheris") is not None
    engine = given.engine or ("atheris" if has_atheris else "hypothesis")
    if engine == "atheris" and not given.repeat:
        atheris: Any = importlib.import_module("atheris")
        with atheris.instrument_imports(include=["forensics"]):
            target = importlib.import_module("tests.fuzzing.target")
    else:
        target = importlib.import_module("tests.fuzzing.target")
    run = target.Target()
    if given.repeat:
        run(given.repeat.read_bytes())
        return
    seed = given.seed or random.SystemRandom().randrange(1, 2**31)
    known = sorted(set(seeds()))
    sys.stderr.write(f"{engine}, seed {seed}, {len(known)} files to begin with, {given.seconds:.0f} s\n")
    if engine == "atheris":
        by_atheris(_keeping(run, given.output), known, given.seconds, seed, given.output)
    else:
        count = by_hypothesis(_keeping(run, given.output), known, given.seconds, seed)
        sys.stderr.write(f"{count} inputs, none failed\n")


if __name__ == "__main__":
    main()
