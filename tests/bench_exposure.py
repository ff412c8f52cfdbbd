"""Exposure at the size of a large vendor: 500 customers, 2,000 keys, 5 million usage rows, 500,000 events.

The rows are not read from files, which would measure ingest: they are inserted into the store by SQL over numbers, with
the columns and the variety that exposure reads (hours, several models, holidays of use, exports of other widths, reads of
each secret by services, an intruder, grouped coverage). Exposure then runs in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from forensics.analysis.context import catalogue
from forensics.analysis.verdicts import exposure_case
from forensics.model.clock import system_clock
from forensics.store.case_folder import CaseFolder, init_case
from forensics.store.duckdb_engine import open_writer

CUSTOMERS, KEYS_EACH, HOURS, MODELS = 500, 4, 912, 3
EVENTS = 500_000
#: Of each key and hour two or three models are used, which gives the wanted number of rows.
USAGE = 5_000_000

_SETTINGS = b"""
[case]
id = "BENCH"
title = "Exposure at scale"
organisation = "Vendor"
examiner = "Bench"
[window]
since = 2026-03-31T00:00:00Z
until = 2026-05-08T00:00:00Z
[times]
t0 = 2026-05-05T02:00:00Z
[own]
accounts = ["111122223333"]
egress = ["192.0.2.0/24"]
[[known]]
kind = "access_key"
value = "AKIALEAKED0000000001"
reason = "stated"
by = "Bench"
"""

_KEYS = f"""
CREATE TEMP TABLE k AS
SELECT n, 'key_' || lpad(CAST(n AS VARCHAR), 5, '0') AS key_id, 'Customer ' || lpad(CAST(n // {KEYS_EACH} AS VARCHAR), 4, '0') AS customer,
  CASE WHEN n % 3 = 0 THEN 'anthropic' ELSE 'openai' END AS provider, 'prod/customers/' || n AS secret
FROM range({CUSTOMERS * KEYS_EACH}) AS r(n)
"""
_INVENTORY = """
INSERT INTO ai_key BY NAME
SELECT md5('ai_key' || n) AS event_key, 'key_inventory' AS source_id, 'inventory' AS provider, 'Vendor' AS owner, customer,
  provider AS key_provider, key_id, 'sk-...' || right(key_id, 4) AS hint, 'project' AS kind, 'secret' AS location_kind, 'us-east-1' AS location_region,
  secret AS location, secret AS location_raw, TIMESTAMP '2026-01-01' AS created_at, TIMESTAMP '2026-05-08' AS as_of, key_id AS native_id
FROM k
"""
#: Every hour of every key, 2.74 models of it on average; from 5 May, 03:00 one key in forty is used ten times as much.
_USAGE = f"""
INSERT INTO ai_usage BY NAME
SELECT md5(key_id || '|' || h || '|' || m) AS event_key,
  CASE provider WHEN 'openai' THEN 'openai_usage' ELSE 'anthropic_usage' END AS source_id, provider, customer AS owner, 'org-' || (n // {KEYS_EACH}) AS organisation,
  TIMESTAMP '2026-03-31' + h * INTERVAL 1 HOUR AS bucket_start, TIMESTAMP '2026-03-31' + (h + 1) * INTERVAL 1 HOUR AS bucket_end,
  3600 AS granularity_s, 'chat' AS endpoint, key_id,
  CASE provider WHEN 'openai' THEN (['gpt-5-2025-08-07', 'gpt-5-mini-2025-08-07', 'gpt-4.1-2025-04-14'])[m + 1]
    ELSE (['claude-sonnet-4-5-20250929', 'claude-haiku-4-5-20251001', 'claude-opus-4-5-20251101'])[m + 1] END AS model,
  20 + hash(n, h, m) % 50 AS requests, (20000 + hash(h, n, m) % 30000) * factor AS input_tokens_total,
  (15000 + hash(h, n, m) % 20000) * factor AS input_tokens_uncached, (hash(n, h) % 4000) * factor AS cache_read_tokens, 0 AS cache_write_tokens,
  (4000 + hash(m, h, n) % 4000) * factor AS output_tokens, 'api_key_id,model,project_id' AS grouped_by,
  'usage|' || key_id || '|' || h || '|' || m AS native_id, md5(h || key_id || m) AS canonical_sha256, TIMESTAMP '2026-05-08' AS received_at,
  'a' || ':' || n AS evidence, md5('file' || n // {KEYS_EACH}) || md5('f' || n // {KEYS_EACH}) AS file_sha256
FROM (SELECT k.*, h, m, CASE WHEN n % 40 = 7 AND h BETWEEN 843 AND 860 THEN 10 ELSE 1 END AS factor
      FROM k, range({HOURS}) AS a(h), range({MODELS}) AS b(m))
WHERE hash(n, h, m) % 1000 < {USAGE * 1000 // (CUSTOMERS * KEYS_EACH * HOURS * MODELS)}
"""
_COVERAGE = f"""
INSERT INTO ai_coverage BY NAME
SELECT CASE provider WHEN 'openai' THEN 'openai_usage' ELSE 'anthropic_usage' END AS source_id, provider, customer AS owner,
  'org-' || (n // {KEYS_EACH}) AS organisation, 'chat' AS endpoint, 3600 AS granularity_s, 'api_key_id,model,project_id' AS grouped_by,
  TIMESTAMP '2026-03-31' + INTERVAL 1 DAY * d AS covered_from, TIMESTAMP '2026-03-31' + INTERVAL 1 DAY * (d + 1) AS covered_until,
  false AS truncated, TIMESTAMP '2026-05-08' AS received_at, md5('file' || n // {KEYS_EACH}) || md5('f' || n // {KEYS_EACH}) AS file_sha256
FROM (SELECT DISTINCT provider, customer, min(n) AS n FROM k GROUP BY provider, customer), range(38) AS r(d)
"""
#: One event in five reads a secret, mostly as the service that always does; the intruder reads one secret in four.
_EVENTS = f"""
INSERT INTO aws_event BY NAME
SELECT md5('e' || i) AS event_key, 'id-' || i AS event_id, t AS event_time, epoch_ms(t) // 1000 AS event_epoch,
  CASE WHEN reads THEN 'secretsmanager.amazonaws.com' ELSE 's3.amazonaws.com' END AS event_source,
  CASE WHEN reads THEN 'GetSecretValue' ELSE 'GetObject' END AS event_name, CASE WHEN reads THEN 'GetSecretValue' ELSE 'GetObject' END AS event_name_base,
  'us-east-1' AS region, '111122223333' AS account_id, 'AssumedRole' AS identity_type,
  CASE WHEN bad THEN 'arn:aws:iam::111122223333:user/ci' ELSE 'arn:aws:iam::111122223333:role/service-' || (i % 40) END AS actor,
  CASE WHEN bad THEN 'AKIALEAKED0000000001' ELSE 'ASIASERVICE' || lpad(CAST(i % 900 AS VARCHAR), 9, '0') END AS credential_id,
  'session-' || (i % 900) AS session_name, CASE WHEN bad THEN '203.0.113.66' ELSE '192.0.2.' || (i % 250) END AS source_ip,
  '00000000000000000000ffff' || CASE WHEN bad THEN 'cb007142' ELSE 'c00002' || lower(lpad(to_hex(i % 250), 2, '0')) END AS source_ip_key,
  'public' AS source_class, 'aws-sdk/2' AS user_agent, 'success' AS outcome, false AS is_denied, 'x' AS evidence_sha256, i AS evidence_record, 'aws_cloudtrail' AS source_id, 'Vendor' AS owner,
  'prod/customers/' || key AS resource
FROM (SELECT i, i % 5 = 0 AS reads, i % {CUSTOMERS * KEYS_EACH} AS key, false AS bad,
        TIMESTAMP '2026-03-31' + INTERVAL 1 SECOND * (i * {HOURS * 3600 // EVENTS}) AS t FROM range({EVENTS - CUSTOMERS}) AS r(i)
      UNION ALL
      SELECT {EVENTS} + i, true, i * 4, true, TIMESTAMP '2026-05-05 02:30:00' + INTERVAL 1 SECOND * (i * 3) FROM range({CUSTOMERS}) AS r(i))
"""
_ITEMS = """
INSERT INTO aws_event_item BY NAME
SELECT event_key, 'secret' AS kind, 0 AS n, resource AS value, resource AS value_raw FROM aws_event WHERE event_name_base = 'GetSecretValue'
"""


def build(root: Path) -> CaseFolder:
    """Make the case; returns it."""
    case = init_case(root, system_clock, _SETTINGS)
    connection = open_writer(case.store_path, threads=2, memory="4GB")
    for statement in (_KEYS, _INVENTORY, _USAGE, _COVERAGE, _EVENTS, _ITEMS):
        connection.execute(statement)
    connection.close()
    return case


def measure(root: Path) -> None:
    """Run exposure over a built case in this process and print what it took."""
    case, started, before = CaseFolder(root, system_clock), time.perf_counter(), time.process_time()
    result = exposure_case(case, catalogue(), system_clock)
    seconds, cpu = time.perf_counter() - started, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    verdicts: dict[str, int] = {}
    for answer in result.answers:
        verdicts[str(answer["verdict"])] = verdicts.get(str(answer["verdict"]), 0) + 1
    runs = {run["query_id"]: run["milliseconds"] for run in result.runs}
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "verdicts": verdicts, "queries": runs}))


def bench_exposure(base: Path) -> None:
    """Build the case and print seconds, CPU seconds and peak memory of exposure over it, in a process of its own."""
    case = build(base / "exposure-case")
    connection = case.reader()
    usage, events = (
        connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in ("ai_usage", "aws_event")
    )
    connection.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench_exposure", str(case.root)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        sys.stdout.write(f"exposure failed: {done.stderr.strip().splitlines()[-1:]}\n")
        return
    got = json.loads(done.stdout)
    slowest = sorted(got["queries"].items(), key=lambda item: -item[1])[:3]
    sys.stdout.write(
        f"exposure: {CUSTOMERS} customers, {CUSTOMERS * KEYS_EACH:,} keys, {usage:,} usage rows, {events:,} events:"
        f" {got['seconds']:.1f} s, {got['cpu']:.1f} s CPU, peak {got['peak']} MiB; {got['verdicts']}\n"
        f"  slowest queries: {', '.join(f'{name} {ms / 1000:.1f} s' for name, ms in slowest)}\n"
    )


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
