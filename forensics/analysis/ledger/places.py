"""Where a key is stored, in one form for the inventory and for what the logs name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from forensics.analysis.keys import Key

#: Services whose settings hold keys in clear, by kind of place; the event source that reads of them come from.
RUNTIMES = {
    "lambda": "lambda.amazonaws.com", "ec2": "ec2.amazonaws.com", "ecs": "ecs.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com", "apprunner": "apprunner.amazonaws.com", "amplify": "amplify.amazonaws.com",
    "elasticbeanstalk": "elasticbeanstalk.amazonaws.com", "batch": "batch.amazonaws.com", "glue": "glue.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com", "states": "states.amazonaws.com", "cloudformation": "cloudformation.amazonaws.com",
    "lightsail": "lightsail.amazonaws.com", "appconfig": "appconfig.amazonaws.com", "apigateway": "apigateway.amazonaws.com",
}  # fmt: skip
#: Stores that hold many keys as rows, objects or blocks.
STORES = frozenset({"rds", "dynamodb", "ebs", "s3"})
_KINDS = frozenset({*RUNTIMES, *STORES, "secret", "ssm", "kms"})
_ARN_SERVICES = {"secretsmanager": "secret", "ec2": "ec2"}

_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):(\d*):(.+)", re.ASCII)
_SHORT = re.compile(r"([a-z0-9]+):([a-z]{2}(?:-[a-z]+)+-\d+):(.+)", re.ASCII)
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True, slots=True)
class Place:
    """Kind of store, its region ("" when it has none or it is not known) and the name within it, normalised."""

    kind: str
    region: str
    name: str

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.region, self.name) if part)


def _of_resource(kind: str, text: str) -> str:
    """Return the name in the last part of an ARN: `cluster:NAME`, `function:NAME:ALIAS`, `table/NAME`."""
    if kind == "rds":
        return text.partition(":")[2] or text
    if kind in {"lambda", "states"}:
        return text.partition(":")[2].partition(":")[0] or text
    if kind == "ssm":
        inner = text.removeprefix("parameter/")
        return "/" + inner if "/" in inner else inner
    return text if kind in {"secret", "s3"} else text.partition("/")[2] or text


def normal(kind: str, name: str) -> str:
    """Return a name as both sides write it: no ARN around it, no revision, no `data/` of a versioned Vault mount."""
    text = name.strip()
    match = _ARN.fullmatch(text)
    if match:
        text = _of_resource(kind, match[4])
    if kind == "vault":
        return re.sub(r"^([^/]+)/data/", r"\1/", text.strip("/"))
    if kind in {"ecs", "batch"}:
        return re.sub(r":\d+$", "", text.rpartition("/")[2])
    if kind == "rds":
        return text.removeprefix("rds:").lower()
    if kind == "lambda":
        return text.partition(":")[0]
    return text.rstrip("/") if kind == "dynamodb" else text


def read_place(text: str) -> Place | None:
    """Return the place of `kind:region:name`, `vault:path`, `s3:bucket/key`, `app:name` or an ARN; None when it is none."""
    written = text.strip()
    lowered, _, rest = written.partition(":")
    if lowered == "vault" and rest:
        return Place("vault", "", normal("vault", rest))
    if lowered in {"app", "db"} and rest:
        return Place("application", "", rest)
    match = _ARN.fullmatch(written)
    if match:
        kind = _ARN_SERVICES.get(match[1], match[1])
        if kind == "ec2" and match[4].startswith(("volume/", "snapshot/")):
            kind = "ebs"
        if kind not in _KINDS:
            return None
        name = match[4].removeprefix("secret:") if kind == "secret" else written
        return Place(kind, match[2], _SUFFIX.sub("", name) if kind == "secret" else normal(kind, name))
    if lowered == "s3" and rest:
        return Place("s3", "", rest.lstrip("/"))
    short = _SHORT.fullmatch(written)
    if short and short[1] in _KINDS:
        return Place(short[1], short[2], normal(short[1], short[3]))
    return None


def place_of(key: Key) -> Place | None:
    """Return where a key is stored, or None when nobody stated a place that is understood."""
    if not key.location:
        return None
    if key.location_kind in _KINDS:
        return Place(key.location_kind, key.location_region, normal(key.location_kind, key.location))
    return read_place(key.location)


def covers(pattern: str, place: Place) -> bool:
    """Return whether a stated place covers another: itself, or all below it where it ends in `/` or `*`."""
    stated = read_place(pattern.rstrip("*") if pattern.endswith("*") else pattern)
    if (
        stated is None
        or stated.kind != place.kind
        or (stated.region and place.region and stated.region != place.region)
    ):
        return False
    if pattern.endswith(("*", "/")):
        return place.name.startswith(stated.name.rstrip("/") + "/" if pattern.endswith("/") else stated.name)
    return place.name == stated.name
