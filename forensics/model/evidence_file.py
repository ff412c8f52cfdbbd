"""Columns of received files, their records' places and their defects; and of stored results."""

from __future__ import annotations

from forensics.model.columns import Table, table

META = table("meta", "Schema, tool, engine and reader versions.", "name VARCHAR what\nvalue VARCHAR value", ("name",))

EVIDENCE_FILE = table(
    "evidence_file",
    "One row a distinct received file.",
    """
file_sha256 VARCHAR SHA-256 of the bytes as received
content_sha256 VARCHAR SHA-256 of the uncompressed content; NULL when it could not be uncompressed
exhibit VARCHAR S0001 and on; for people, never in an order or a hash
size_bytes BIGINT as received
content_bytes BIGINT uncompressed
stored_as VARCHAR path inside the case of the copied original; NULL with --no-copy
original_path VARCHAR where it was first read from, for --no-copy
source_id VARCHAR log format; NULL when not recognised
state VARCHAR read, defective, registered, skipped, settings
reason VARCHAR why it is not read
reader_version VARCHAR version of the reader
first_event TIMESTAMP earliest time in it
last_event TIMESTAMP latest time in it
notes JSON list of remarks: truncated export, trailing bytes, ...
""",
    ("file_sha256",),
)

RECEIPT = table(
    "receipt",
    "Who owns and who sent each received file, with its account of records.",
    """
receipt_id BIGINT number, in order of receipt
file_sha256 VARCHAR the file
path VARCHAR path as given, relative to the argument
owner VARCHAR whose evidence; empty when unassigned
owner_basis VARCHAR stated (receipt table or --owner), unassigned
organisation VARCHAR provider organisation
from_whom VARCHAR who handed it over
received_at TIMESTAMP when it was received, as stated
read_at TIMESTAMP when it was ingested; counts as received_at where none is stated
means VARCHAR how
sender_sha256 VARCHAR hash the sender stated
sender_agrees BOOLEAN whether it agrees
window_from TIMESTAMP claimed window
window_until TIMESTAMP claimed window
zone VARCHAR time zone of the export's own dates
unpacking JSON limits of unpacking that were not the defaults, and whether a password opened something; NULL for neither
seen BIGINT records seen
accepted BIGINT records that became rows
duplicate BIGINT records already known
defect BIGINT records that could not be read
out_of_scope BIGINT records of a kind that is registered, not analysed
""",
    ("receipt_id",),
)

OCCURRENCE = table(
    "occurrence",
    "Every place where a record was seen.",
    """
event_key VARCHAR row it belongs to (the representative)
own_key VARCHAR key of exactly these bytes; NULL where it is event_key
table_name VARCHAR table of the row
file_sha256 VARCHAR received file
content_sha256 VARCHAR content of the file
receipt_id BIGINT receipt it came by
member_path VARCHAR path inside containers; empty for a plain file
record_no BIGINT record number in the file, from 0
byte_offset BIGINT offset in the decoded innermost content
byte_length BIGINT length in bytes
json_pointer VARCHAR place of the record text inside another record; empty when it stands by itself
record_sha256 VARCHAR SHA-256 of exactly those bytes
""",
)

DEFECT = table(
    "defect",
    "What could not be read, with place and reason.",
    """
file_sha256 VARCHAR received file
receipt_id BIGINT receipt it came by
record_no BIGINT record number; NULL for the file as a whole
byte_offset BIGINT offset in the content; NULL when unknown
byte_length BIGINT length; NULL when unknown
reason VARCHAR what is wrong
is_record BOOLEAN counts as a record seen
""",
)

QUERY_RUN = table(
    "query_run",
    "The ledger: every query that was run.",
    """
run_id BIGINT number
basis VARCHAR fingerprint of all it rests on
query_id VARCHAR query
query_sha256 VARCHAR hash of the query file
parameters JSON canonical parameters
engine VARCHAR engine and version
state VARCHAR finding, clear, no_baseline, not_evaluable, failed
reason VARCHAR why
row_count BIGINT rows
records_searched BIGINT records of its sources in the window
result_sha256 VARCHAR logical hash of the canonical rows
milliseconds BIGINT time taken
run_at TIMESTAMP when
""",
    ("run_id",),
)

FINDING = table(
    "finding",
    "Findings of the last hunt, grouped by query and finding_key.",
    """
finding_id VARCHAR F- and 8 hex digits over query and finding_key
query_id VARCHAR query
finding_key VARCHAR what the query grouped by
severity VARCHAR info, low, medium, high, critical
confidence VARCHAR low, medium, high
title VARCHAR title of the query
first_seen TIMESTAMP first event
last_seen TIMESTAMP last event
event_count BIGINT events
actor VARCHAR most frequent actor, ties by name
resource_count BIGINT distinct resources
state VARCHAR finding or no_baseline
suppression BIGINT number of the suppression that every event fits; NULL when none
""",
    ("finding_id",),
)

SUPPRESSION = table(
    "suppression",
    "Suppressions in force at the last hunt, from work.jsonl.",
    """
number BIGINT number in the order of work.jsonl
query VARCHAR query, or a group of them
principal VARCHAR principal or credential
address VARCHAR address or network
resource VARCHAR resource
reason VARCHAR why
decided_by VARCHAR who decided
decided_at TIMESTAMP when
""",
    ("number",),
)

FINDING_EVENT = table(
    "finding_event",
    "Rows behind a finding.",
    """
finding_id VARCHAR finding
event_key VARCHAR event
event_time TIMESTAMP time
actor VARCHAR actor
action VARCHAR action
resource VARCHAR resource
source_ip VARCHAR address
credential_id VARCHAR credential
account_id VARCHAR account
region VARCHAR region
outcome VARCHAR outcome
evidence VARCHAR content SHA-256 and record number
details JSON the query's further columns
""",
)

FINDING_CHAIN = table(
    "finding_chain",
    "Credentials behind a finding, each with its session and the chain of credentials it came from.",
    """
finding_id VARCHAR finding
credential_id VARCHAR credential of its events; of an act that names none the session that it began, else its principal
session_name VARCHAR session name
events BIGINT events of the finding made with it
chain VARCHAR names from the root to the credential, ` > ` between them
confidence VARCHAR the least sure step: exact, strong, medium, ambiguous, none
""",
    ("finding_id", "credential_id"),
)

VERDICT = table(
    "verdict",
    "Proposed verdicts of the last exposure run, one row a key; the whole answer stands in `answer`.",
    """
provider VARCHAR provider
key_id VARCHAR key id, or the secret's name without inventory
customer VARCHAR customer
exposure VARCHAR read, decrypted, configuration_read, store_copied, possibly, none_seen, not_evaluable
abuse VARCHAR established, unexplained, explained, none_seen, not_evaluable
verdict VARCHAR headline made from both
answer JSON the key's object of `exposure --json`
""",
)

KEY_BOOK = table(
    "key_book",
    "What the last exposure run found of the inventory: versions, lives of keys, remarks, and verdicts that a version moved.",
    """
kind VARCHAR version, life, remark, move
place BIGINT place in the order of its kind, from 1
provider VARCHAR provider; empty for a version
key_id VARCHAR key; of a remark the first of those concerned; empty for a version
customer VARCHAR customer, where there is one
body JSON the object of `keys --json`
""",
)

RESULT_BASIS = table(
    "result_basis",
    "Fingerprint of all that a stored result rests on.",
    """
kind VARCHAR hunt, exposure, verify-logs
fingerprint VARCHAR SHA-256
components JSON what it was made of
computed_at TIMESTAMP when
""",
    ("kind",),
)

CASE_VALUE = table(
    "case_value",
    "Values of the case that queries join.",
    "kind VARCHAR own_account, known_<kind>, ...\nvalue VARCHAR value",
)
CASE_NETWORK = table(
    "case_network",
    "Networks of the case.",
    "kind VARCHAR own_egress\nlow VARCHAR first address, 32 hex digits\nhigh VARCHAR last address, 32 hex digits",
)
CASE_TAMPER = table(
    "tainted",
    "Credentials and addresses held to be the intruder's, each with its independent root.",
    """
kind VARCHAR credential, address, principal
value VARCHAR value
since TIMESTAMP earliest act that taints it
method VARCHAR known, issued, created, address
parent VARCHAR what it was derived from
root VARCHAR independent root: settings, or the event that stands for it
""",
)

SIGMA_RULE = table(
    "sigma_rule",
    "Sigma rules of the last `hunt --sigma`, one row each, and what came of it. Texts are the rule's own.",
    """
rule_id VARCHAR sigma. and the rule's id
place VARCHAR path of the rule file below the folder, with the number of the document
file_sha256 VARCHAR SHA-256 of the rule file
title VARCHAR title
severity VARCHAR from level: info, low, medium, high, critical
status VARCHAR status: stable, test, experimental, ...
author VARCHAR author
licence VARCHAR license, as the rule states it
tags JSON tags as written
false_positives JSON falsepositives as written
attack JSON ids of ATT&CK techniques and tactics among the tags
state VARCHAR hit, none_seen, not_convertible, not_evaluable
reason VARCHAR why
count BIGINT distinct events
records_searched BIGINT CloudTrail events in the window
sql_sha256 VARCHAR SHA-256 of the SQL; NULL when there is none
result_sha256 VARCHAR logical hash of the canonical rows
""",
    ("rule_id",),
)

SIGMA_FINDING = Table(
    "sigma_finding",
    "Findings of Sigma rules of the last `hunt --sigma`. Columns of finding.",
    FINDING.columns,
    FINDING.key,
)

SIGMA_FINDING_EVENT = Table(
    "sigma_finding_event",
    "Rows behind a finding of a Sigma rule. Columns of finding_event.",
    FINDING_EVENT.columns,
)

CASE_TABLES = (
    META,
    EVIDENCE_FILE,
    RECEIPT,
    OCCURRENCE,
    DEFECT,
    QUERY_RUN,
    FINDING,
    FINDING_EVENT,
    FINDING_CHAIN,
    SUPPRESSION,
    SIGMA_RULE,
    SIGMA_FINDING,
    SIGMA_FINDING_EVENT,
    VERDICT,
    KEY_BOOK,
    RESULT_BASIS,
    CASE_VALUE,
    CASE_NETWORK,
    CASE_TAMPER,
)
