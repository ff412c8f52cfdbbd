"""Facts of one key built by hand: every ingredient of a verdict can be left out or changed by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from forensics.analysis.exposure import judge
from forensics.analysis.facts import Facts
from forensics.analysis.keys import Key
from forensics.model.case import read_settings
from forensics.model.times import to_epoch

SINCE, UNTIL = datetime(2026, 4, 1), datetime(2026, 5, 9)
T0 = datetime(2026, 5, 5, 2)
READ = T0 + timedelta(minutes=30)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOT = "settings: access_key AKIATHIEF, stated"
KEY = Key("openai", "key_a", "Acme", "inventory", "project", "", "secret", "us-east-1", "prod/acme")


def settings(t0: datetime | None = T0, statements: str = ""):
    """Settings with a T0 and statements as TOML."""
    times = f"[times]\nt0 = {t0.isoformat()}Z\n" if t0 else ""
    known = '[[known]]\nkind = "access_key"\nvalue = "AKIATHIEF"\nreason = "stated"\nby = "A"\n'
    return read_settings(f'[case]\nid = "X"\norganisation = "Vendor"\n{times}{known}{statements}'.encode())


def statement(kind: str = "gateway_complete", by: str = "B. Owner", gateway: str = "litellm", **more: Any) -> str:
    """A statement about the key as TOML."""
    extra = "".join(
        f"{n} = {v.isoformat()}Z\n" if isinstance(v, datetime) else f'{n} = "{v}"\n' for n, v in more.items()
    )
    return (
        f'[[statement]]\nkind = "{kind}"\ncustomer = "Acme"\nprovider = "openai"\nkey_id = "key_a"\nby = "{by}"\n'
        f'gateway = "{gateway}"\nkey_alias = "acme-prod"\ntext = "so"\n{extra}'
    )


def read(at: datetime = READ, suspect: bool = True, **more: Any) -> dict[str, Any]:
    """A read of the key's secret."""
    return {
        "event_time": at, "event_key": f"read-{at.isoformat()}", "access": "read", "action": "GetSecretValue",
        "location_kind": "secret", "location": "prod/acme", "region": "us-east-1", "account_id": "1", "actor": "role",
        "session_name": "s", "credential_id": "ASIA1", "source_ip": "203.0.113.9", "invoked_by": None, "outcome": "success",
        "usual_reads": 0 if suspect else 9, "evidence": "e", "root": ROOT if suspect else None, **more,
    }  # fmt: skip


def bucket(
    start: datetime, requests: int, model: str = "gpt-5-mini", width: timedelta = HOUR, **more: Any
) -> dict[str, Any]:
    """Usage of one model in a bucket."""
    return {
        "provider": "openai", "owner": "Acme", "key_id": "key_a", "granularity_s": int(width.total_seconds()),
        "bucket_start": start, "bucket_end": start + width, "model": model, "requests": requests, "tokens": requests * 1000,
        "event_key": f"use-{start.isoformat()}-{model}", "evidence": "e", "source_id": "openai_usage",
        "grouped_by": "api_key_id,model", "views": 1, "named_by": None, **more,
    }  # fmt: skip


def act(at: datetime, action: str = "api_key.created", **more: Any) -> dict[str, Any]:
    """An act in the provider's audit log."""
    return {
        "event_time": at, "event_key": f"act-{at.isoformat()}-{action}", "provider": "openai", "owner": "Acme", "action": action,
        "outcome": "success", "actor_key_id": None, "target_key_id": None, "actor_email": "x@acme.example", "actor_id": None,
        "actor": "x@acme.example", "source_ip": "192.0.2.1", "tainted_address": None, "tainted_actor": None, "root": None,
        "details": None, "evidence": "e", **more,
    }  # fmt: skip


def request(at: datetime, **more: Any) -> dict[str, Any]:
    """A single request of the intruder, in a gateway's log."""
    return {
        "event_time": at, "event_key": f"req-{at.isoformat()}", "provider": "litellm", "owner": "Acme", "upstream_provider": "openai",
        "key_id": None, "key_name": "acme-prod", "model": "m", "source_ip": "203.0.113.9", "tainted_address": "203.0.113.9",
        "root": ROOT, "evidence": "e", "marked_by": "address", **more,
    }  # fmt: skip


def gateway_hour(hour: datetime, requests: int, model: str = "gpt-5-mini", **more: Any) -> dict[str, Any]:
    """What a gateway logged in an hour."""
    return {
        "provider": "litellm", "owner": "Acme", "upstream_provider": "openai", "key_id": None, "key_name": "acme-prod",
        "hour": hour, "model": model, "requests": requests, "tokens": requests * 1000, "event_key": f"gw-{hour.isoformat()}", **more,
    }  # fmt: skip


def source(first: datetime, last: datetime, address: str, agent: str = "sdk/1", **more: Any) -> dict[str, Any]:
    """An address that single requests with the key came from."""
    return {
        "provider": "litellm", "owner": "Acme", "upstream_provider": "openai", "key_id": "key_a", "key_name": None,
        "source_ip": address, "user_agent": agent, "is_own": False, "first_at": first, "last_at": last, "requests": 5,
        "failures": 0, "last_failure": None, "asn": None, "as_name": None, "event_key": f"src-{address}-{agent}", **more,
    }  # fmt: skip


def billed(day: datetime, amount: str, currency: str = "USD") -> dict[str, Any]:
    """A billed day."""
    return {
        "provider": "openai", "owner": "Acme", "key_id": "key_a", "currency": currency, "period_start": day,
        "period_end": day + DAY, "amount": Decimal(amount), "event_key": f"cost-{day.isoformat()}", "source_id": "openai_costs",
        "grouped_by": "api_key_id",
    }  # fmt: skip


def usual(requests: int = 40, width: timedelta = HOUR, start: datetime = SINCE, end: datetime = UNTIL, hours=range(24)):
    """Even use in every bucket of some hours of the day."""
    out, at = [], start
    while at + width <= end:
        if width > HOUR or at.hour in hours:
            out.append(bucket(at, requests, width=width))
        at += width
    return out


def usage_rows(buckets) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows of exposure.usage_buckets by key, from buckets of one model each."""
    names = ("provider", "owner", "key_id", "granularity_s", "model", "source_id", "grouped_by", "views", "named_by")
    found: dict[tuple[Any, ...], list[str]] = {}
    for b in buckets:
        begin = (b["bucket_start"] - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
        width = (b["bucket_end"] - b["bucket_start"]) // timedelta(milliseconds=1)
        values = (begin, width, b["requests"], b["tokens"], b["event_key"])
        found.setdefault(tuple(b[n] for n in names), []).append(",".join(map(str, values)))
    out: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row, texts in sorted(found.items(), key=repr):
        out.setdefault((row[0], row[2]), []).append(
            dict(zip(names, row, strict=True)) | {"buckets": ",".join(sorted(texts))}
        )
    return out


@dataclass
class World:
    """Everything the evidence of one key may hold."""

    t0: datetime | None = T0
    statements: str = ""
    reads: list[dict[str, Any]] = field(default_factory=lambda: [read()])
    usage: list[dict[str, Any]] = field(default_factory=usual)
    width: timedelta = HOUR
    covered: tuple[datetime, datetime] = (SINCE, UNTIL)
    days: list[dict[str, Any]] = field(default_factory=list)
    acts: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    gateway: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    billed: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    logged: bool = True
    key: Key = KEY

    def but(self, **changes: Any) -> World:
        """The same world with some things otherwise."""
        return replace(self, **changes)

    def facts(self) -> Facts:
        """What the queries would give."""
        from forensics.analysis.ledger.values import Changes

        made = settings(self.t0, self.statements)
        facts = Facts(made, SINCE, UNTIL, made.baseline_until)
        facts.register.add(self.reads, "exposure.location_reads")
        facts.suspects = {r["event_key"]: {"root": r["root"]} for r in self.reads if r["root"]}
        if self.logged:
            facts.hours = {"us-east-1": [{"hour": h} for h in range(to_epoch(SINCE) // 3600, to_epoch(UNTIL) // 3600)]}
            facts.services = {("us-east-1", "secretsmanager.amazonaws.com")}
        facts.changes_at = Changes(self.changes)
        facts.usage = usage_rows(self.usage)
        for row in self.days:
            facts.usage_days.setdefault((row["provider"], row["key_id"]), []).append(row)
        for row in self.billed:
            facts.billed.setdefault((row["provider"], row["key_id"]), []).append(row)
        facts.acts, facts.tainted_requests, facts.gateway, facts.sources = (
            self.acts,
            self.requests,
            self.gateway,
            self.sources,
        )
        if self.usage:
            facts.coverage = [
                {
                    "provider": "openai", "owner": "Acme", "source_id": "openai_usage", "endpoint": "chat",
                    "granularity_s": int(self.width.total_seconds()), "grouped_by": "api_key_id,model",
                    "covered_from": self.covered[0], "covered_until": self.covered[1], "truncated": False, "received_at": UNTIL + DAY,
                }
            ]  # fmt: skip
        return facts

    def answer(self) -> dict[str, Any]:
        """The verdict of the key."""
        return judge([self.key], self.facts())[0]

    def axes(self) -> tuple[str, str]:
        """Both axes of the key."""
        got = self.answer()
        return got["exposure"], got["abuse"]
