"""Words by which others call the kinds of indicators, and the levels of TLP."""

from __future__ import annotations

import re

_ALIASES = {
    "address": "ip ipv4 ipv6 ip-src ip-dst ipv4-addr ipv6-addr ipaddr ipaddress ip-address remoteip src-ip dst-ip sourceip"
    " source-ip-address",
    "network": "cidr subnet range ip-range netblock",
    "asn": "as autonomous-system as-number",
    "domain": "hostname host fqdn domain-name dns dnsentryitem-host domainname",
    "url": "uri link urlhistoryitem-url",
    "email": "email-addr e-mail mail email-src email-dst email-address email-from email-to",
    "user_agent": "user-agent useragent ua http-user-agent",
    "access_key": "access-key-id accesskeyid aws-access-key aws-access-key-id accesskey",
    "principal": "arn principal-arn principal-id user-arn aws-arn user iam-user user-id username user-name",
    "account": "account-id aws-account aws-account-id accountid",
    "session_name": "session role-session-name source-identity",
    "role": "role-name iam-role",
    "bucket": "s3-bucket bucket-name",
    "secret": "secret-name secret-id secret-arn",
    "hash": "md5 sha1 sha-1 sha256 sha-256 file-hash filehash key-sha256 hash-md5 hash-sha1 hash-sha256",
    "provider_key": "key-id api-key-id provider-key-id apikey-id",
    "key_hint": "hint redacted-key key-prefix key-fragment",
    "request_id": "request event-id eventid requestid",
    "model": "model-id",
}
_BY_WORD = {word: kind for kind, words in _ALIASES.items() for word in (*words.split(), kind.replace("_", "-"))}
TLP_LEVELS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")


def kind_named(word: str) -> str:
    """Return the kind that a word of another tool means, empty text when none does."""
    return _BY_WORD.get(re.sub(r"[\s_:.]+", "-", word.strip().lower()), "")


def tlp_named(text: str) -> str:
    """Return a level of TLP as version 2.0 writes it, empty text for none: https://www.first.org/tlp/"""
    word = re.sub(r"[\s_-]+", "+", text.strip().upper().removeprefix("TLP:").removeprefix("TLP "))
    level = "TLP:" + {"WHITE": "CLEAR"}.get(word, word)
    return level if level in TLP_LEVELS else ""
