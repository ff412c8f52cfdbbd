"""CloudTrail in OCSF, as Security Lake and pipelines write it: JSON and Parquet, whatever the class.

https://schema.ocsf.io/classes/api_activity
https://docs.aws.amazon.com/security-lake/latest/userguide/cloudtrail-event-logs.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from forensics.model.fields import count
from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_mapping import at, leaves, mapped, nested, put
from forensics.sources.trail_record import NAMES, loaded

#: Where OCSF keeps what a record calls by the name on the right; the first that holds something counts.
_FIELDS = (
    ("metadata.product.version", "eventVersion"),
    ("metadata.uid", "eventID"),
    ("metadata.event_code", "eventType"),
    ("metadata.log_name", "eventType"),
    ("api.service.name", "eventSource"),
    ("api.operation", "eventName"),
    ("api.version", "apiVersion"),
    ("api.response.error", "errorCode"),
    ("api.response.error_message", "errorMessage"),
    ("api.response.message", "errorMessage"),
    ("cloud.region", "awsRegion"),
    ("src_endpoint.ip", "sourceIPAddress"),
    ("src_endpoint.domain", "sourceIPAddress"),
    ("src_endpoint.svc_name", "sourceIPAddress"),
    ("http_request.user_agent", "userAgent"),
    ("tls.sni", "tlsDetails.clientProvidedHostHeader"),
    ("tls.version", "tlsDetails.tlsVersion"),
    ("tls.cipher", "tlsDetails.cipherSuite"),
    ("actor.user.type", "userIdentity.type"),
    ("actor.user.uid_alt", "userIdentity.principalId"),
    ("actor.user.uuid", "userIdentity.principalId"),
    ("actor.user.account.uid", "userIdentity.accountId"),
    ("actor.user.account_uid", "userIdentity.accountId"),
    ("actor.user.credential_uid", "userIdentity.accessKeyId"),
    ("actor.user.name", "userIdentity.userName"),
    ("actor.invoked_by", "userIdentity.invokedBy"),
    ("actor.idp.name", "userIdentity.identityProvider"),
    ("actor.session.issuer", "userIdentity.sessionContext.sessionIssuer.arn"),
    ("actor.session.is_mfa", "userIdentity.sessionContext.attributes.mfaAuthenticated"),
    ("actor.session.mfa", "userIdentity.sessionContext.attributes.mfaAuthenticated"),
)
#: Read by hand below.
_ALSO = (
    "time time_dt api.request.uid api.request.data api.response.data actor.user.uid actor.session.created_time"
    " actor.session.created_time_dt src_endpoint.uid cloud.account.uid cloud.account_uid metadata.product.feature.name"
    " dst_endpoint.svc_name is_mfa status status_detail resources"
).split()
#: What OCSF derives from the rest.
_DERIVED = (
    "activity_id activity_name category_name category_uid class_name class_uid type_name type_uid severity severity_id"
    " status_id observables cloud.provider metadata.product.name metadata.product.vendor_name metadata.profiles"
    " metadata.version metadata.log_provider metadata.log_version actor.user.type_id"
).split()
_READ = frozenset([theirs for theirs, _ in _FIELDS] + _ALSO + _DERIVED)
_CATEGORIES = ("Management", "Data", "NetworkActivity", "Insight", "Aggregated")
_OBJECTS = ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails")


class OcsfTrail:
    """CloudTrail records as events of OCSF."""

    id = "aws_cloudtrail_ocsf"
    title = "AWS CloudTrail in OCSF (Security Lake)"
    provider = "aws"
    reference = "https://docs.aws.amazon.com/security-lake/latest/userguide/cloudtrail-event-logs.html"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by a class, CloudTrail as the product, and an operation."""
        sample = probe.sample
        if probe.form not in ("json", "ndjson", "parquet") or probe.container or not isinstance(sample, Mapping):
            return ""
        if count(sample.get("class_uid")) is None or at(sample, "metadata.product.name") != "CloudTrail":
            return ""
        named = isinstance(at(sample, "api.operation"), str)
        return f"OCSF class {count(sample['class_uid'])} of CloudTrail" if named else ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """The values themselves."""
        return ()

    def read(self, document: Document) -> Reading:
        """Put the record of each event together."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    value = record.value
    if not isinstance(value, Mapping):
        return RowOrDefect(record, defect="not a JSON object")
    if at(value, "metadata.product.name") != "CloudTrail":
        return RowOrDefect(record, out_of_scope="OCSF event of another product")
    event: dict[str, Any] = {}
    put(event, ["eventTime"], _moment(value.get("time"), value.get("time_dt")))
    for theirs, ours in _FIELDS:
        put(event, ours.split("."), at(value, theirs))
    _identity(event, value)
    for theirs, ours in (("request", "requestParameters"), ("response", "responseElements")):
        put(event, [ours], _whole(at(value, f"api.{theirs}.data")))
    request_id = at(value, "api.request.uid")
    put(event, ["requestID"], None if request_id == "''" else request_id)
    feature = at(value, "metadata.product.feature.name")
    put(event, ["eventCategory"], feature if feature in _CATEGORIES else None)
    endpoint = at(value, "src_endpoint.uid")
    put(event, ["vpcEndpointId"], endpoint if isinstance(endpoint, str) and endpoint.startswith("vpce-") else None)
    _sign_in(event, value)
    put(event, ["resources"], _resources(value.get("resources")))
    unread = [n for n in leaves({n: v for n, v in value.items() if n != "unmapped"}) if n not in _READ]
    unread += _unmapped(event, value.get("unmapped"))
    put(event, ["recipientAccountId"], at(value, "cloud.account.uid") or at(value, "cloud.account_uid"))
    if at(value, "status") == "Failure" and not {"errorCode", "errorMessage"} & event.keys():
        event["errorMessage"] = at(value, "status_detail") or "Failure"
    return mapped(record, event, unread)


def _moment(epoch: Any, text: Any) -> str | None:
    """Return a time in UTC from milliseconds since 1970, which have no zone to be mistaken for, else from its text."""
    number = count(epoch)
    if not number:
        return text if isinstance(text, str) and text else None
    try:
        moment = datetime(1970, 1, 1) + timedelta(milliseconds=number)  # noqa: DTZ001 - naive UTC
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds" if number % 1000 else "seconds") + "Z"


def _identity(event: dict[str, Any], value: Mapping[str, Any]) -> None:
    name = at(value, "actor.user.uid")
    is_arn = isinstance(name, str) and name.startswith("arn:")
    put(event, ["userIdentity", "arn" if is_arn else "principalId"], name)
    session = at(value, "actor.session") or {}
    created = _moment(at(session, "created_time"), at(session, "created_time_dt"))
    put(event, ["userIdentity", "sessionContext", "attributes", "creationDate"], created)


def _sign_in(event: dict[str, Any], value: Mapping[str, Any]) -> None:
    """The class Authentication keeps where a sign-in led to and whether a second factor was used."""
    if count(value.get("class_uid")) != 3002:
        return
    put(event, ["additionalEventData", "LoginTo"], at(value, "dst_endpoint.svc_name"))
    factor = value.get("is_mfa")
    put(event, ["additionalEventData", "MFAUsed"], None if factor is None else "Yes" if factor is True else "No")


def _whole(value: Any) -> Any:
    """Return the object of a JSON text, else the value as it is."""
    inner = loaded(value)
    return value if inner is None else inner


def _resources(value: Any) -> Any:
    found = []
    for item in value if isinstance(value, list) else []:
        owner = at(item, "account.uid") or at(item, "account_uid") or at(item, "owner.account.uid")
        named = {"ARN": at(item, "uid"), "accountId": owner, "type": at(item, "type")}
        found.append({name: member for name, member in named.items() if member is not None})
    return [item for item in found if item] or None


def _unmapped(event: dict[str, Any], value: Any) -> list[str]:
    """Give what OCSF had no place for back its own name; returns the names that a record does not know."""
    given = loaded(value) if isinstance(value, str) else value
    if not isinstance(given, Mapping):
        return []
    unread = []
    for name, member in nested(given).items():
        if name not in NAMES:
            unread += list(leaves(member, f"unmapped.{name}"))
            continue
        _fill(
            event,
            name,
            _whole(member) if name in _OBJECTS or (isinstance(member, str) and member[:1] in "{[") else member,
        )
    return unread


def _fill(target: dict[str, Any], name: str, value: Any) -> None:
    """Set a member, or those inside it that are not there yet."""
    there = target.get(name)
    if isinstance(there, dict) and isinstance(value, Mapping):
        for inner, member in value.items():
            _fill(there, str(inner), member)
    else:
        put(target, [name], value if value != {} else None)


SOURCE = OcsfTrail()
