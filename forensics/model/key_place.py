"""Where a key is stored, as people write it: `secret:REGION:NAME`, `ssm:REGION:NAME`, `lambda:REGION:NAME`, `s3:BUCKET/KEY`, or an ARN."""

from __future__ import annotations

import re

_ARN = re.compile(r"arn:aws[a-z-]*:(secretsmanager|ssm|lambda|s3):([a-z0-9-]*):(\d*):(.+)", re.ASCII)
_SHORT = re.compile(r"(secret|ssm|lambda):([a-z]{2}(?:-[a-z]+)+-\d+):(.+)", re.ASCII)
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")

Place = tuple[str | None, str | None, str | None]


def _of_arn(text: str) -> Place | None:
    match = _ARN.fullmatch(text)
    if not match:
        return None
    service, region, _, rest = match.groups()
    kind, _, name = rest.partition(":")
    if service == "secretsmanager" and kind == "secret" and name:
        return "secret", region or None, _SUFFIX.sub("", name)
    if service == "lambda" and kind == "function" and name:
        return "lambda", region or None, name.split(":")[0]
    if service == "ssm" and rest.startswith("parameter/"):
        name = rest.removeprefix("parameter/")
        return "ssm", region or None, "/" + name if "/" in name else name
    return ("s3", None, rest) if service == "s3" else None


def read_location(text: str | None) -> Place:
    """Return (kind, region, name within the store) of a place as written; kind `other` for an unknown form.

    The six characters that Secrets Manager adds to a name are taken off only from an ARN.
    """
    written = (text or "").strip()
    if not written:
        return None, None, None
    place = _of_arn(written)
    if place:
        return place
    short = _SHORT.fullmatch(written)
    if short:
        kind, region, name = short.groups()
        inner = _of_arn(name)
        return inner if inner and inner[0] == kind else (kind, region, name)
    if written.startswith("s3:") and "/" in written[3:].lstrip("/"):
        return "s3", None, written[3:].lstrip("/")
    return "other", None, written
