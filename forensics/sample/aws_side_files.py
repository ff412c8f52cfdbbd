"""What comes beside the trail's log files: model invocation logs and a page of the event history.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html and
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from forensics.sample.cloudtrail import encode
from forensics.sample.gzip_file import write_gzip
from forensics.sample.identities import Record, digits
from forensics.sample.noise import scheduled
from forensics.sample.story import (
    ACCOUNT,
    BEDROCK_LOGGING_REMOVED,
    BEDROCK_LOGGING_RESTORED,
    END,
    EU,
    INCIDENT_DAY,
    US,
    Settings,
)
from forensics.sample.times import DAY, HOUR, compact, epoch, iso
from forensics.sample.trail_plan import Plan

_LOOKUP_HOURS = (INCIDENT_DAY + 7 * HOUR, INCIDENT_DAY + 12 * HOUR)
_LOOKUP_LIMIT = 50
_LOOKUP_OFFSET = 2 * HOUR  # the analyst's clock when the page was taken


def _invocation(rng: Random, event: Record) -> Record:
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": event["eventTime"],
        "accountId": ACCOUNT,
        "identity": {"arn": event["userIdentity"]["arn"]},
        "region": US,
        "requestId": event["requestID"],
        "operation": event["eventName"],
        "modelId": event["requestParameters"]["modelId"],
        "input": {
            "inputContentType": "application/json",
            "inputTokenCount": rng.randrange(700, 2400),
            "cacheReadInputTokenCount": 0,
            "cacheWriteInputTokenCount": 0,
        },
        "output": {"outputContentType": "application/json", "outputTokenCount": rng.randrange(120, 420)},
    }


def write_invocations(folder: Path, settings: Settings) -> int:
    """Write one file a day of what model logging saw; nothing between its removal and its return."""
    count = 0
    for day in range(settings.since, END, DAY):
        rng, lines = Random(f"{settings.seed}/invocations/{day}"), []
        for hour in range(day, day + DAY, HOUR):
            calls = [
                event
                for event in scheduled(settings, hour, US)
                if event["eventName"] == "InvokeModel" and "errorCode" not in event
            ]
            calls.sort(key=lambda call: (str(call["eventTime"]), str(call["eventID"])))
            lines += [
                encode(_invocation(rng, event))
                for event in calls
                if not BEDROCK_LOGGING_REMOVED <= epoch(event["eventTime"]) < BEDROCK_LOGGING_RESTORED
            ]
        count += len(lines)
        name = f"{compact(day)}_{digits(f'invocations/{day}', 16)}.json.gz"
        write_gzip(folder / name, "".join(line + "\n" for line in lines).encode())
    return count


def _lookup(event: Record) -> Record:
    at = iso(epoch(event["eventTime"]) + _LOOKUP_OFFSET)[:-1] + "+02:00"
    identity = event["userIdentity"]
    found: Record = {
        "EventId": event["eventID"],
        "EventName": event["eventName"],
        "ReadOnly": "true" if event["readOnly"] else "false",
    }
    if identity.get("accessKeyId"):
        found["AccessKeyId"] = identity["accessKeyId"]
    found |= {"EventTime": at, "EventSource": event["eventSource"]}
    if "arn" in identity:
        found["Username"] = identity.get("userName") or identity["arn"].rsplit("/", 1)[-1]
    found["Resources"] = [
        {"ResourceType": resource["type"], "ResourceName": resource["ARN"]}
        for resource in event.get("resources", [])
        if "type" in resource
    ]
    found["CloudTrailEvent"] = encode(event)
    return found


def write_lookup(path: Path, plan: Plan) -> list[str]:
    """Write a page of lookup-events of eu-central-1, newest first; returns the event ids on it."""
    events = [event for hour in range(*_LOOKUP_HOURS, HOUR) for event in plan.noise(EU, hour)]
    events.sort(key=lambda event: (str(event["eventTime"]), str(event["eventID"])), reverse=True)
    page = [_lookup(event) for event in events[:_LOOKUP_LIMIT]]
    path.write_text(json.dumps({"Events": page}, indent=1) + "\n", encoding="utf-8", newline="\n")
    return [entry["EventId"] for entry in page]
