"""CloudTrail out of Elasticsearch: search responses, dumps of hits, documents; Filebeat's and the agent's fields.

https://www.elastic.co/docs/reference/beats/filebeat/exported-fields-aws
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.sources.protocol import Document, Probe, RawRecord, Reading, RowOrDefect
from forensics.sources.trail_mapping import at, java_map, leaves, mapped, nested, put
from forensics.sources.trail_record import answer, is_event, is_event_text, loaded, outside

_TRAIL = "aws.cloudtrail"
#: Where a document keeps what a record calls by the name on the right; the first that holds something counts.
_FIELDS = (
    ("@timestamp", "eventTime"),
    ("event.provider", "eventSource"),
    ("event.action", "eventName"),
    ("event.id", "eventID"),
    ("cloud.region", "awsRegion"),
    ("source.address", "sourceIPAddress"),
    ("source.ip", "sourceIPAddress"),
    ("user_agent.original", "userAgent"),
    ("user.id", "userIdentity.principalId"),
    ("cloud.account.id", "userIdentity.accountId"),
    ("tls.client.server_name", "tlsDetails.clientProvidedHostHeader"),
    *(
        (f"{_TRAIL}.{theirs}", ours)
        for theirs, ours in (
            ("event_version", "eventVersion"),
            ("event_type", "eventType"),
            ("event_category", "eventCategory"),
            ("error_code", "errorCode"),
            ("error_message", "errorMessage"),
            ("request_id", "requestID"),
            ("api_version", "apiVersion"),
            ("management_event", "managementEvent"),
            ("read_only", "readOnly"),
            ("recipient_account_id", "recipientAccountId"),
            ("shared_event_id", "sharedEventID"),
            ("vpc_endpoint_id", "vpcEndpointId"),
            ("user_identity.type", "userIdentity.type"),
            ("user_identity.arn", "userIdentity.arn"),
            ("user_identity.access_key_id", "userIdentity.accessKeyId"),
            ("user_identity.invoked_by", "userIdentity.invokedBy"),
            (
                "user_identity.session_context.mfa_authenticated",
                "userIdentity.sessionContext.attributes.mfaAuthenticated",
            ),
            ("user_identity.session_context.creation_date", "userIdentity.sessionContext.attributes.creationDate"),
            ("user_identity.session_context.session_issuer.type", "userIdentity.sessionContext.sessionIssuer.type"),
            ("user_identity.session_context.session_issuer.arn", "userIdentity.sessionContext.sessionIssuer.arn"),
            (
                "user_identity.session_context.session_issuer.principal_id",
                "userIdentity.sessionContext.sessionIssuer.principalId",
            ),
            (
                "user_identity.session_context.session_issuer.account_id",
                "userIdentity.sessionContext.sessionIssuer.accountId",
            ),
        )
    ),
)
#: Parts that stand as objects below `flattened`, and as text beside it.
_PARTS = (
    ("request_parameters", "requestParameters"),
    ("response_elements", "responseElements"),
    ("additional_eventdata", "additionalEventData"),
    ("service_event_details", "serviceEventDetails"),
)
_READ = {theirs for theirs, _ in _FIELDS} | {"user.name", "event.original"}
#: Read by hand, and what stands a second time in additional_eventdata.
_AGAIN = (f"{_TRAIL}.resources", f"{_TRAIL}.console_login.")
#: What the platform derives from the rest.
_DERIVED = ("event", "related", "ecs", "source", "tags", "user_agent", "data_stream", "agent", "input", "host", "log")


def _names(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with its dotted names as objects, and the one value of a field's list in place of the list."""
    fields = value.get("fields")
    if isinstance(fields, Mapping) and "aws" not in value:
        value = {n: v[0] if isinstance(v, list) and len(v) == 1 else v for n, v in fields.items()}
    return nested(value) if any("." in str(name) for name in value) else dict(value)


def _hit(sample: Any) -> Any:
    hits = at(sample, "hits.hits")
    return hits[0] if isinstance(hits, list) and hits else None


def _is_trail(document: Any) -> bool:
    if not isinstance(document, Mapping):
        return False
    named = _names(document)
    return isinstance(at(named, _TRAIL), Mapping) or is_event_text(at(named, "event.original"))


class ElasticTrail:
    """CloudTrail records as documents of Elasticsearch."""

    id = "aws_cloudtrail_elastic"
    title = "AWS CloudTrail out of Elasticsearch"
    provider = "aws"
    reference = "https://www.elastic.co/docs/reference/beats/filebeat/exported-fields-aws"
    reader_version = "1"
    table = "aws_event"

    def recognise(self, probe: Probe) -> str:
        """Recognise by fields below aws.cloudtrail or an original record that is one of CloudTrail."""
        if probe.form == "csv":
            fields = sum(name.startswith(_TRAIL + ".") for name in probe.header)
            return "CSV with fields of aws.cloudtrail" if fields else ""
        sample = probe.sample
        if probe.form not in ("json", "ndjson") or probe.container or not isinstance(sample, Mapping):
            return ""
        hit = _hit(sample)
        document = hit if hit is not None else sample
        source = document.get("_source") if isinstance(document, Mapping) else None
        if _is_trail(source if source is not None else document) or is_event(source):
            where = "hits of a search" if hit is not None else "hits" if source is not None else "documents"
            return f"{where} with a CloudTrail record"
        return ""

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """The source of each hit, or the documents themselves."""
        if _hit(probe.sample) is not None:
            return ("hits", "hits", "_source")
        return ("_source",) if isinstance(probe.sample, Mapping) and "_source" in probe.sample else ()

    def read(self, document: Document) -> Reading:
        """Judge each document: the original record where it was preserved, else what its fields tell."""
        return Reading([_judge(record) for record in document.records])


def _judge(record: RawRecord) -> RowOrDefect:
    if not isinstance(record.value, Mapping):
        return RowOrDefect(record, defect="not a JSON object")
    value = _names(record.value)
    original = at(value, "event.original")
    inner = loaded(original)
    if isinstance(inner, Mapping) and (is_event(inner) or outside(inner)):
        return answer(record, inner, raw=original.strip())
    if is_event(value):
        return answer(record, fidelity="full" if "eventTime" in value else "mapped")
    trail = at(value, _TRAIL)
    if not isinstance(trail, Mapping):
        return RowOrDefect(record, out_of_scope="document of another log")
    if at(trail, "digest") or at(trail, "flattened.digest"):
        return RowOrDefect(record, out_of_scope="digest of CloudTrail as a document: registered, not checked")
    if at(trail, "insight_details") or at(trail, "flattened.insight_details"):
        return RowOrDefect(record, out_of_scope="CloudTrail Insights record: registered, not analysed")
    return _from_fields(record, value, trail)


def _from_fields(record: RawRecord, value: Mapping[str, Any], trail: Mapping[str, Any]) -> RowOrDefect:
    event: dict[str, Any] = {}
    for theirs, ours in _FIELDS:
        found = at(value, theirs)
        put(event, ours.split("."), None if found == "-" else found)
    issuer = at(event, "userIdentity.type") == "AssumedRole"  # its name stands in place of the session's
    place = "userIdentity.sessionContext.sessionIssuer.userName" if issuer else "userIdentity.userName"
    put(event, place.split("."), at(value, "user.name"))
    put(event, ["resources"], _resources(trail.get("resources")))
    fidelity, read = "mapped", set(_READ)
    for theirs, ours in _PARTS:
        whole, text = at(trail, f"flattened.{theirs}"), at(trail, theirs)
        read |= {f"{_TRAIL}.{theirs}", *(leaves(whole, f"{_TRAIL}.flattened.{theirs}"))}
        if whole is None and isinstance(text, str):
            parsed = loaded(text)
            if parsed is None:
                parsed, fidelity = java_map(text) or text, "lossy"
            whole = parsed
        put(event, [ours], whole)
    left = [
        n for n in leaves(value) if n not in read and not n.startswith(_AGAIN) and n.partition(".")[0] not in _DERIVED
    ]
    return mapped(record, event, left, fidelity)


def _resources(value: Any) -> Any:
    listed = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else []
    named = {"arn": "ARN", "account_id": "accountId", "type": "type"}
    return [{named.get(n, n): v for n, v in item.items()} for item in listed if isinstance(item, Mapping)] or None


SOURCE = ElasticTrail()
