"""Mask key material wherever it stands: prefix and last four characters stay, to match two sightings."""

from __future__ import annotations

import re

#: How the session tokens of AWS begin, which hold where they came from.
SESSION_TOKENS = ("IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdz", "FQoGZXIvYXdz")
#: Prefixes of provider keys, longest first, each with the least length of what follows it.
KEY_FORMS = (
    ("sk-ant-[a-z0-9]+-", 16),
    ("sk-(?:proj|svcacct|admin|service|or-v1|lf|helicone)-", 16),
    ("sk-", 16),
    ("pk-lf-", 16),
    ("sk_", 32),
    ("bedrock-api-key-", 16),
    ("ABSK", 40),
    ("AIza", 30),
    ("gsk_", 30),
    ("xai-", 30),
    ("hf_", 30),
    ("api_org_", 30),
    ("pplx-", 30),
    ("r8_", 30),
    ("nvapi-", 30),
    ("dapi", 32),
    ("lsv2_(?:pt|sk)_", 30),
    ("gh[pousr]_", 30),
    ("github_pat_", 30),
    ("csk-", 30),
    ("hvs[.]", 24),
    ("ya29[.]", 30),
    *((begin, 60) for begin in SESSION_TOKENS),
)
_FORMS = "|".join(rf"({head})[\w\-/+=]{{{least},}}" for head, least in KEY_FORMS)
#: What may stand before a key: no letter or digit, but for the end of a character that JSON or an address has escaped.
BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
_FIRST = "".join(sorted({head[0] for head, _ in KEY_FORMS}))
KEY = re.compile(rf"(?=[{_FIRST}]){BEFORE}(?:{_FORMS})", re.ASCII)
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)[\w\-.~+/=]{16,}", re.ASCII)
#: Names of fields whose whole value is a secret, whatever it looks like.
SECRET_FIELDS = frozenset(
    {
        *("authorization", "proxy-authorization", "x-api-key", "api-key", "apikey", "x-goog-api-key"),
        *("cookie", "set-cookie", "password", "passwd", "secret", "client_secret", "secret_key"),
        *("secretaccesskey", "aws_secret_access_key", "aws_session_token", "sessiontoken"),
        *("x-amz-security-token",),
        *("access_token", "refresh_token", "id_token"),
        *("clientsecret", "secretstring", "servicepassword", "servicecredentialsecret", "privatekey", "private_key"),
    }
)


def _tail(text: str) -> str:
    return "..." + text.rstrip("=")[-4:]


def _mask_match(match: re.Match[str]) -> str:
    prefix = next(group for group in match.groups() if group)
    return prefix + _tail(match[0])


def mask_keys(text: str) -> str:
    """Return `text` with keys and bearer tokens as `sk-proj-...abcd`; ids and redacted hints stay."""
    masked = KEY.sub(_mask_match, text)
    return _BEARER.sub(lambda m: m[1] + m[2] + _tail(m[0]), masked)


def mask_secret(text: str) -> str:
    """Return a value that is secret by its name: its last four characters only, none of a short one."""
    return _tail(text) if len(text) >= 12 else "..."
