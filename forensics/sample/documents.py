"""The papers of the case: settings, receipts, key inventory and a note on what the folder is."""

from __future__ import annotations

import csv
import io

from forensics.sample.gateway import ALIAS, log_from
from forensics.sample.story import (
    ACCOUNT,
    AS_OF,
    CI_KEY,
    CONTAINED,
    DETECTED,
    DORVALIS_FIRST_EXPORT,
    END,
    EU,
    STATED_LAUNCH,
    T0,
    TARNHAVEN_ROTATED,
    US,
    VENDOR,
    ZEPHRANE_DELETED,
    Customer,
    Settings,
    customers,
    named,
)
from forensics.sample.times import DAY, HOUR, iso

EXAMINER = "R. Okonjo-Lind"


def case_toml(settings: Settings) -> str:
    """Give settings as an examiner would write them."""
    brindlewick, pellamore = named("Brindlewick"), named("Pellamore")
    trails = "".join(
        f'''
[[roster.trail]]
name = "{name}"
account = "{ACCOUNT}"
regions = ["{region}"]
management_events = true
read_write = "all"
'''
        for name, region in (("vendor-us", US), ("vendor-eu", EU))
    )
    return f'''[case]
id = "LF-2026-005"
title = "Provider keys read in the Lanternfish account"
organisation = "{VENDOR}"
examiner = "{EXAMINER}"
tlp = "TLP:AMBER"
legal_hold = true

[window]
since = {iso(settings.since)}
until = {iso(END)}

[times]
t0 = {iso(T0)}
detected = {iso(DETECTED)}
contained = {iso(CONTAINED)}

[own]
accounts = ["{ACCOUNT}"]
egress = ["192.0.2.0/24"]

[[known]]
kind = "access_key"
value = "{CI_KEY}"
reason = "named in the notice of the code host on 2026-05-05"
by = "{EXAMINER}"
{trails}
[[statement]]
kind = "launch"
customer = "{pellamore.name}"
provider = "openai"
key_id = "{pellamore.key_id}"
from = {iso(STATED_LAUNCH[0])}
until = {iso(STATED_LAUNCH[1])}
by = "M. Ferrand (Pellamore)"
text = "Spring catalogue opened to all shops; the load of that evening was ours and expected."

[[statement]]
kind = "gateway_complete"
customer = "{brindlewick.name}"
provider = "openai"
key_id = "{brindlewick.key_id}"
gateway = "litellm"
key_alias = "{ALIAS}"
from = {iso(log_from(settings))}
until = {iso(END)}
by = "T. Asante (Brindlewick)"
text = "Every request of ours with this key goes through the gateway; nothing calls the provider directly."
'''


def _table(rows: list[list[str]]) -> str:
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows(rows)
    return target.getvalue()


def key_inventory(settings: Settings) -> str:
    """Give the vendor's list of stored provider keys, as of the morning after the evidence ends."""
    rows = [
        [
            "customer",
            "provider",
            "provider_key_id",
            "key_name",
            "hint",
            "kind",
            "location",
            "created_at",
            "rotated_at",
            "revoked_at",
            "owner",
            "as_of",
        ]
    ]
    for number, customer in enumerate(customers(settings)):
        created = settings.since - (60 + 17 * (number % 20)) * DAY + 9 * HOUR
        kind = "workspace" if customer.provider == "anthropic" else "project"
        rows.append(
            [
                customer.name,
                customer.provider,
                customer.key_id,
                f"lanternfish-{customer.slug}",
                customer.hint,
                kind,
                f"{customer.kind}:{customer.region}:{customer.place}",
                iso(created),
                iso(TARNHAVEN_ROTATED) if customer.name == "Tarnhaven" else "",
                iso(ZEPHRANE_DELETED) if customer.name == "Zephrane" else "",
                f"platform@{customer.slug}.example",
                iso(AS_OF),
            ]
        )
    return _table(rows)


class Receipts:
    """The list of what arrived from whom; paths are relative to the folder and cover what lies below."""

    def __init__(self, settings: Settings) -> None:
        self._since = settings.since
        self._rows: list[list[str]] = []

    def add(
        self,
        path: str,
        owner: str,
        organisation: str,
        from_whom: str,
        received: int,
        means: str,
        *,
        sha256: str = "",
        since: int | None = None,
        until: int = END,
    ) -> None:
        """Note one receipt; times in UTC seconds, the hash is the one the sender gave."""
        begun = self._since if since is None else since
        self._rows.append(
            [
                path,
                owner,
                organisation,
                from_whom,
                iso(received),
                means,
                sha256,
                iso(begun),
                iso(until),
                "UTC",
            ]
        )

    def add_aws(self, lookup_sha256: str) -> None:
        """Note the vendor's own material."""
        taken, means = AS_OF + 600, "aws s3 sync with a read-only role, sealed disk"
        self.add("aws", VENDOR, ACCOUNT, EXAMINER, taken, means)
        self.add(
            "aws/lookup_events_eu-central-1.json",
            VENDOR,
            ACCOUNT,
            EXAMINER,
            taken,
            "aws cloudtrail lookup-events",
            sha256=lookup_sha256,
        )
        self.add("key_inventory.csv", VENDOR, ACCOUNT, "S. Nakagawa (Lanternfish)", AS_OF, "internal share")

    def add_customer(
        self,
        customer: Customer,
        path: str,
        means: str,
        received: int,
        sha256: str = "",
        since: int | None = None,
        until: int = END,
    ) -> None:
        """Material a customer sent."""
        self.add(
            path,
            customer.name,
            customer.organisation,
            f"platform@{customer.slug}.example",
            received,
            means,
            sha256=sha256,
            since=since,
            until=until,
        )

    def text(self) -> str:
        """Give the CSV file, sorted by path."""
        head = [
            "path",
            "owner",
            "provider_organisation",
            "from_whom",
            "received_at",
            "means",
            "sender_sha256",
            "window_from",
            "window_until",
            "zone",
        ]
        return _table([head, *sorted(self._rows)])


def readme(settings: Settings) -> str:
    """Tell what the folder is and how to make it again."""
    first = iso(DORVALIS_FIRST_EXPORT)
    sent = f"what nine of ten customers sent; one sent two exports that overlap, the first taken at {first}"
    return (
        f"""# The sample incident

Everything in this folder is synthetic. No person, company, key, address or event in it is real: addresses
come from the ranges reserved for documentation, the account number is the documentation's own, and the
digest signing key is made from the seed, so it proves nothing outside this folder.

The story: on {iso(T0)[:10]} the access key of a build user of the vendor {VENDOR} (account {ACCOUNT}) is used
from an unknown address. Whoever holds it explores the account, changes into two roles, takes customers'
provider keys out of the secret store, the parameter store and a function's environment, switches logging off
for half an hour, abuses models in the account and prepares ways back in. Some of the keys are then abused at
the providers. Five weeks of ordinary work lie before it.

| path | what it is |
|---|---|
| `case.toml`, `receipts.csv`, `key_inventory.csv` | the papers of the case |
| `aws/AWSLogs/` | CloudTrail log files and the digests of one night, one log file altered after signing |
| `aws/public_keys.json`, `aws/digest_metadata.json` | what is needed to check the digests offline |
| `aws/lookup_events_eu-central-1.json` | a page of the event history that overlaps the log files |
| `aws/bedrock_invocations/` | model invocation logs |
| `customers/` | {sent} |
| `ground_truth.json` | what really happened, for checking results; never ingest it |

Make it again, to the byte:

    python -m forensics.sample --output sample_logs

A larger one for measurements, for example a million events in 200 files:

    python -m forensics.sample --output /tmp/large --events 1000000 --files 200

The bytes of compressed files depend on the deflate library of the Python that runs it; with the usual zlib
they are the same everywhere, and the decompressed content always is.
"""
        if settings.customers == 10
        else "# A synthetic incident\n\nMade by `python -m forensics.sample`.\n"
    )
