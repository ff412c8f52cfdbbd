"""Control-plane logs: OpenAI audit log (Quillmere, Zephrane), Anthropic activity (Tarnhaven).

https://platform.openai.com/docs/api-reference/audit-logs (effective_at in unix seconds) and
https://platform.claude.com/docs/en/api/compliance-activity-feed (created_at in RFC 3339); newest first.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random

from forensics.sample.cloudtrail import uuid
from forensics.sample.demand import QUILLMERE_NEW_KEY, REPLACEMENT, project_of
from forensics.sample.identities import Record, digits
from forensics.sample.story import (
    END,
    INCIDENT_DAY,
    INTRUDER_SECOND,
    TARNHAVEN_ROTATED,
    ZEPHRANE_DELETED,
    Customer,
    Settings,
    named,
)
from forensics.sample.times import DAY, HOUR, epoch, iso, weekday

Steps = dict[str, list[str]]
_PAGE = 50
_BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15"
_SCRIPT = "python-requests/2.32.4"
_OWN = {"Quillmere": "2001:db8:90::14", "Zephrane": "2001:db8:a1::22", "Tarnhaven": "2001:db8:77::31"}
TARNHAVEN_INTRUDER_KEY = "apikey_01TarnZz6Pc1"


def _person(customer: Customer) -> Record:
    return {"id": f"user-{digits(customer.name, 20)}", "email": f"platform@{customer.slug}.example"}


def _openai(
    customer: Customer, at: int, kind: str, details: Record, ip: str | None = None, project: bool = True
) -> Record:
    event: Record = {
        "object": "organization.audit_log",
        "id": f"audit_log-{digits(f'{customer.name}/{at}/{kind}', 24)}",
        "type": kind,
        "effective_at": at,
        "actor": {
            "type": "session",
            "session": {
                "user": _person(customer),
                "ip_address": ip or _OWN[customer.name],
                "user_agent": _SCRIPT if ip else _BROWSER,
            },
        },
        kind: details,
    }
    if project:
        event["project"] = {"id": project_of(customer, "Prod"), "name": "production"}
    return event


def _openai_ordinary(settings: Settings, customer: Customer) -> list[Record]:
    """Sign-ins on working days, and an old project limit, member and key."""
    rng, events = Random(f"{settings.seed}/audit/{customer.name}"), []
    for day in range(settings.since, END, DAY):
        if weekday(day) < 5:
            at = day + 8 * HOUR + rng.randrange(2 * HOUR)
            events.append(_openai(customer, at, "login.succeeded", {}, project=False))
            if rng.random() < 0.7:
                events.append(_openai(customer, at + 7 * HOUR, "logout.succeeded", {}, project=False))
    first = settings.since + DAY + 10 * HOUR
    events.append(
        _openai(
            customer,
            first,
            "project.updated",
            {"id": project_of(customer, "Labs"), "changes_requested": {"title": "labs"}},
        )
    )
    events.append(
        _openai(
            customer,
            first + 900,
            "api_key.created",
            {"id": f"key_{customer.name[:3]}Stg4Lm", "data": {"scopes": ["api.model.request"]}},
        )
    )
    return events


def _quillmere(customer: Customer, steps: Steps) -> list[Record]:
    at = epoch("2026-05-05T03:55:20Z")
    made = [
        _openai(
            customer,
            at,
            "api_key.created",
            {"id": QUILLMERE_NEW_KEY, "data": {"scopes": ["api.all"]}},
            INTRUDER_SECOND,
        ),
        _openai(
            customer,
            at + 74,
            "api_key.updated",
            {"id": customer.key_id, "changes_requested": {"scopes": ["api.all"]}},
            INTRUDER_SECOND,
        ),
    ]
    weakened = [
        _openai(
            customer,
            at + 190,
            "rate_limit.updated",
            {
                "id": "rl-gpt-5",
                "changes_requested": {
                    "max_requests_per_1_minute": 10000,
                    "max_tokens_per_1_minute": 30000000,
                },
            },
            INTRUDER_SECOND,
        ),
        _openai(
            customer,
            at + 255,
            "ip_allowlist.config.deactivated",
            {"configs": [{"id": "ipal-7Kd2", "name": "offices"}]},
            INTRUDER_SECOND,
            project=False,
        ),
    ]
    steps["s20_openai_key_created"] += [event["id"] for event in made]
    steps["s21_openai_control_weakened"] += [event["id"] for event in weakened]
    return made + weakened


def _zephrane(customer: Customer, steps: Steps) -> list[Record]:
    replaced = _openai(
        customer,
        ZEPHRANE_DELETED - 900,
        "api_key.created",
        {"id": REPLACEMENT["Zephrane"], "data": {"scopes": ["api.model.request"]}},
    )
    deleted = _openai(customer, ZEPHRANE_DELETED, "api_key.deleted", {"id": customer.key_id})
    steps["s25_use_after_revocation"].append(deleted["id"])
    return [replaced, deleted]


def openai_audit(settings: Settings, name: str) -> tuple[list[Record], Steps]:
    """Give the pages of an organisation's audit log, and the ids that belong to steps of the story."""
    customer, steps = named(name), defaultdict[str, list[str]](list)
    events = _openai_ordinary(settings, customer)
    events += _quillmere(customer, steps) if name == "Quillmere" else _zephrane(customer, steps)
    events.sort(key=lambda event: (-event["effective_at"], event["id"]))
    return _listed(events, {"object": "list"}), steps


def _listed(events: list[Record], head: Record) -> list[Record]:
    found = []
    for start in range(0, len(events), _PAGE):
        part = events[start : start + _PAGE]
        found.append(
            {
                **head,
                "data": part,
                "first_id": part[0]["id"],
                "last_id": part[-1]["id"],
                "has_more": start + _PAGE < len(events),
            }
        )
    return found


def _anthropic(rng: Random, customer: Customer, at: int, kind: str, actor: Record, **more: str) -> Record:
    return {
        "id": f"activity_01{digits(f'{customer.name}/{at}/{kind}', 22)}",
        "created_at": iso(at),
        "organization_id": customer.organisation,
        "organization_uuid": uuid(rng),
        "type": kind,
        "actor": actor,
        **more,
    }


def _machine(key: str, ip: str) -> Record:
    return {"type": "api_actor", "api_key_id": key, "ip_address": ip, "user_agent": _SCRIPT}


def _tarnhaven_ordinary(rng: Random, settings: Settings, customer: Customer, admin: Record) -> list[Record]:
    events = []
    for day in range(settings.since, END, DAY):
        at = day + 6 * HOUR + rng.randrange(HOUR)
        if at < TARNHAVEN_ROTATED:  # the vendor's nightly upload with the customer's key
            events.append(
                _anthropic(
                    rng,
                    customer,
                    at,
                    "platform_file_uploaded",
                    _machine(customer.key_id, "192.0.2.61"),
                    file_id=f"file_01{digits(str(at), 16)}",
                )
            )
        if weekday(day) < 5:
            events.append(_anthropic(rng, customer, at + 2 * HOUR, "sso_login_succeeded", admin))
            if rng.random() < 0.4:
                events.append(_anthropic(rng, customer, at + 3 * HOUR, "platform_cost_report_viewed", admin))
    return events


def anthropic_activity(settings: Settings) -> tuple[list[Record], Steps]:
    """Give the pages of Tarnhaven's activity feed, and the ids that belong to steps of the story."""
    customer, steps = named("Tarnhaven"), defaultdict[str, list[str]](list)
    rng = Random(f"{settings.seed}/activity")
    admin = {
        "type": "user_actor",
        "email_address": f"platform@{customer.slug}.example",
        "user_id": f"user_01{digits(customer.name, 20)}",
        "ip_address": _OWN["Tarnhaven"],
        "user_agent": _BROWSER,
    }
    events = _tarnhaven_ordinary(rng, settings, customer, admin)
    stolen = _machine(customer.key_id, INTRUDER_SECOND)
    at = INCIDENT_DAY + 4 * HOUR + 1330
    made = [_anthropic(rng, customer, at, "platform_api_key_created", stolen, api_key_id=TARNHAVEN_INTRUDER_KEY)]
    made += [
        _anthropic(
            rng,
            customer,
            at + offset,
            "platform_file_content_downloaded",
            stolen,
            file_id=f"file_01{digits(str(offset), 16)}",
        )
        for offset in (95, 160, 3900, 22_000, 61_000, 150_000)
    ]
    weakened = [
        _anthropic(rng, customer, at + 210, "org_ip_restriction_deleted", stolen),
        _anthropic(rng, customer, at + 244, "platform_spend_limit_deleted", stolen),
    ]
    steps["s22_anthropic_key_created"] += [event["id"] for event in made]
    steps["s23_anthropic_control_weakened"] += [event["id"] for event in weakened]
    replaced = _anthropic(
        rng,
        customer,
        TARNHAVEN_ROTATED - 780,
        "platform_api_key_created",
        admin,
        api_key_id=REPLACEMENT["Tarnhaven"],
    )
    events += [*made, *weakened, replaced]
    events.sort(key=lambda event: event["id"])
    events.sort(key=lambda event: str(event["created_at"]), reverse=True)
    return _listed(events, {}), steps
