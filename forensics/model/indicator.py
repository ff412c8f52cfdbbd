"""Indicators: what a value is, its normal form, and the tables that hold them and what they hit."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from forensics.model.columns import table
from forensics.model.masking import KEY, mask_keys

EXACT, PART, REGEX = "exact", "part", "regex"

INDICATOR = table(
    "indicator",
    "Indicators as each file states them, one row a statement; one indicator may be stated by several files.",
    """
indicator_id VARCHAR I- and 16 hex digits over kind, match and value
kind VARCHAR address, network, asn, domain, url, email, user_agent, access_key, principal, account, session_name, role, bucket, secret, hash, provider_key, key_hint, request_id, model
value VARCHAR normal form; never a whole key
match VARCHAR exact, part or regex
raw VARCHAR as written in the file, key material masked
place VARCHAR line, row or object of the file
note VARCHAR comment of the file
tlp VARCHAR TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT, TLP:RED; NULL when not stated
dated TIMESTAMP date that the file gives it
valid_from TIMESTAMP start of validity
valid_until TIMESTAMP expiry
confidence BIGINT 0 to 100, as stated
context BOOLEAN stated as context, not to be alerted on
derived BOOLEAN exported by a case of this tool: proves nothing it came from
file_sha256 VARCHAR file that states it
file_name VARCHAR its name
""",
)

INDICATOR_FAULT = table(
    "indicator_fault",
    "Entries of indicator files that could not be used.",
    """
file_sha256 VARCHAR file
file_name VARCHAR its name
place VARCHAR line, row or object
raw VARCHAR as written, key material masked
reason VARCHAR why
""",
)

INDICATOR_HIT = table(
    "indicator_hit",
    "Where indicators stand in the evidence.",
    """
indicator_id VARCHAR indicator
event_key VARCHAR row it stands in
event_time TIMESTAMP its time
table_name VARCHAR table of the row
field VARCHAR column
valid BOOLEAN inside the validity that any file states, or none states one
""",
)

INDICATOR_SEARCH = table(
    "indicator_search",
    "What was searched for each kind of indicator, so that no hit can be told from nothing to search.",
    """
kind VARCHAR kind of indicator
table_name VARCHAR table
field VARCHAR column
records BIGINT rows that have a value there
first TIMESTAMP earliest
last TIMESTAMP latest
""",
)
INDICATOR_TABLES = (INDICATOR, INDICATOR_FAULT, INDICATOR_HIT, INDICATOR_SEARCH)


class NotUsable(ValueError):
    """A value that is no indicator of the kind it is said to be."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement of a file, before it is judged: `kind` as the file calls it, empty when it does not say."""

    value: str
    place: str
    kind: str = ""
    match: str = ""
    note: str = ""
    tlp: str = ""
    dated: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    confidence: int | None = None
    context: bool = False
    derived: bool = False


def indicator_id(kind: str, match: str, value: str) -> str:
    """Return the id of an indicator: the same on every machine and in every file."""
    return "I-" + sha256(f"{kind}\n{match}\n{value}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


_HIDDEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_DOT = re.compile(r"\s?[\[({]\s?(?:\.|dot|d0t)\s?[\])}]\s?|\\\.", re.I)
_AT = re.compile(r"\s?[\[({]\s?(?:@|at)\s?[\])}]\s?", re.I)
_COLON = re.compile(r"[\[({]\s?(:|://)\s?[\])}]")
_SCHEME = re.compile(r"^(?:hxxp|h\*\*p|meow|fxp)(s?)(?=:)", re.I)
#: Letters among which none of these marks can stand.
_PLAIN = re.compile(r"[A-Za-z0-9_.@/:-]+")
_WRAPPED = " \t\r\n\"'\u201c\u201d\u2018\u2019\u00ab\u00bb`<>,;"


def refang(text: str) -> str:
    """Return `text` without the marks that keep indicators from being clicked: hxxp, [.], (dot), [at], [:]."""
    if _PLAIN.fullmatch(text) and not _SCHEME.match(text):
        return text
    plain = _HIDDEN.sub("", text).strip(_WRAPPED)
    plain = _COLON.sub(r"\1", _AT.sub("@", _DOT.sub(".", plain)))
    plain = _SCHEME.sub(lambda m: ("ftp" if m[0].lower().startswith("fxp") else "http") + m[1].lower(), plain)
    return plain.strip(_WRAPPED)


def defang(kind: str, value: str) -> str:
    """Return an indicator that nothing clicks or resolves by accident; kinds that nothing resolves stay."""
    if kind in {"address", "network"}:
        return value.replace(".", "[.]").replace(":", "[:]")
    if kind in {"domain", "url", "email"}:
        return re.sub(r"^http", "hxxp", value.replace("://", "[://]")).replace(".", "[.]").replace("@", "[@]")
    return value


_ACCESS_KEY = re.compile(r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,28}")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12}|\*|aws|):\S+", re.I)
_EMAIL = re.compile(r"[^@\s/]{1,64}@[^@\s/]+\.[^@\s./]{2,}")
_DOMAIN = re.compile(
    r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})", re.I
)
_HEX = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.I)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_KEY_ID = re.compile(r"(?:key|apikey|sk|wrkspc|proj|user|svc)[_-][A-Za-z0-9]{6,}")
_HINT = re.compile(r"[A-Za-z0-9_-]{2,24}(?:\.{2,}|…|\*{2,})[A-Za-z0-9_-]{2,12}")
_ASN = re.compile(r"(?:AS\s?)?(\d{1,10})", re.I)


@lru_cache(maxsize=4)  # guessed first, then judged
def _address(text: str) -> str:
    bare = text.strip("[]") if text.startswith("[") else text
    if re.fullmatch(r"\d+(?:\.\d+){3}:\d{1,5}", bare):
        bare = bare.rpartition(":")[0]
    elif (port := re.fullmatch(r"\[([0-9a-f:.]+)\]:\d{1,5}", text, re.I)) is not None:
        bare = port[1]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        raise NotUsable("is no IP address") from None
    mapped = found.ipv4_mapped if found.version == 6 else None
    return str(mapped or found)


def _network(text: str) -> str:
    low, dash, high = (part.strip() for part in text.partition("-"))
    try:
        if dash:
            first, last = ipaddress.ip_address(low), ipaddress.ip_address(high)
            if first.version != last.version or int(first) > int(last):
                raise NotUsable("is no range of addresses")
            return f"{first}-{last}"
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise NotUsable("is no network") from None
    if network.prefixlen < (8 if network.version == 4 else 16):
        raise NotUsable("is a network of more than a whole /8 (IPv4) or /16 (IPv6), which names nobody")
    return str(network)


def _domain(text: str) -> str:
    bare = text.rstrip(".").removeprefix("*.").lower()
    try:
        bare = bare.encode("idna").decode() if not bare.isascii() else bare
    except UnicodeError:
        raise NotUsable("is no domain name") from None
    if not _DOMAIN.fullmatch(bare):
        raise NotUsable("is no domain name")
    return bare


def _shaped(form: re.Pattern[str], what: str, change: Callable[[str], str] = str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise NotUsable(f"is no {what}")
        return change(text)

    return check


def _url(text: str) -> str:
    if not re.match(r"[a-z][a-z0-9+.-]*://[^\s/]+", text, re.I):
        raise NotUsable("is no URL")
    scheme, _, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


def _asn(text: str) -> str:
    match = _ASN.fullmatch(text)
    if not match or not 0 < int(match[1]) < 2**32:
        raise NotUsable("is no number of an autonomous system")
    return f"AS{int(match[1])}"


def _account(text: str) -> str:
    digits = text.replace("-", "").strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        raise NotUsable("is no account number")
    return digits.zfill(12)  # spreadsheets eat leading zeros


def _plain(text: str) -> str:
    if len(text) < 3:
        raise NotUsable("is too short to mean anything")
    return text


def _secret(text: str) -> str:
    name = text.rpartition(":secret:")[2]
    return _plain(re.sub(r"-[A-Za-z0-9]{6}$", "", name) if name != text else text)


#: Normal form of each kind. Raises NotUsable.
KINDS: dict[str, Callable[[str], str]] = {
    "address": _address,
    "network": _network,
    "asn": _asn,
    "domain": _domain,
    "url": _url,
    "email": _shaped(_EMAIL, "e-mail address", str.lower),
    "user_agent": _plain,
    "access_key": lambda text: _shaped(_ACCESS_KEY, "access key id")(text.upper()),
    "principal": _plain,
    "account": _account,
    "session_name": _plain,
    "role": _plain,
    "bucket": _plain,
    "secret": _secret,
    "hash": _shaped(_HEX, "MD5, SHA-1 or SHA-256", str.lower),
    "provider_key": _plain,
    "key_hint": _plain,
    "request_id": _plain,
    "model": _plain,
}
_GUESSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("access_key", _ACCESS_KEY),
    ("principal", _ARN),
    ("url", re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.I)),
    ("email", _EMAIL),
    ("request_id", _UUID),
    ("hash", _HEX),
    ("account", re.compile(r"\d{12}")),
    ("asn", re.compile(r"AS\s?\d{1,10}", re.I)),
    ("key_hint", _HINT),
    ("provider_key", _KEY_ID),
)


def guess(text: str) -> str:
    """Return the kind that a value must be by its form. Raises NotUsable when that is not plain."""
    numeric = ":" in text or text[:1] in "[0123456789"
    for kind in ("address", "network") if numeric else ():
        if "/" in text if kind == "address" else "/" not in text and "-" not in text:
            continue
        try:
            KINDS[kind](text)
        except NotUsable:
            continue
        return kind
    for kind, form in _GUESSES:
        if form.fullmatch(text):
            return kind
    if _DOMAIN.fullmatch(text.rstrip(".").removeprefix("*.")):
        return "domain"
    raise NotUsable("is of no plain kind: say which, in a CSV or YAML list")


@dataclass(frozen=True, slots=True)
class Value:
    """A judged value: `raw` is as written, masked."""

    kind: str
    match: str
    value: str
    raw: str


def judge(entry: Entry, kind: str = "") -> Value:
    """Return what an entry means. A whole key becomes its SHA-256. Raises NotUsable, never with the value itself."""
    text = refang(entry.value)
    if not text:
        raise NotUsable("is empty")
    if KEY.fullmatch(text):
        digest = sha256(text.encode()).hexdigest()
        return Value("hash", EXACT, digest, mask_keys(text))
    masked = mask_keys(text)
    raw = (masked if entry.value == text else mask_keys(entry.value))[:500]
    if masked != text:
        raise NotUsable("holds key material inside other text")
    match = entry.match or EXACT
    if match == REGEX and kind != "user_agent":
        raise NotUsable("is a regular expression for something else than a user agent")
    if match == REGEX:
        if len(text) > 500:
            raise NotUsable("is a regular expression of more than 500 characters")
        return Value("user_agent", REGEX, entry.value.strip(), raw)
    kind = kind or guess(text)
    if kind == "address" and ("/" in text or "-" in text):
        kind = "network"
    if kind == "network" and "/" not in text and "-" not in text:
        kind = "address"
    value = KINDS[kind](text)
    if len(value) > 2_000:
        raise NotUsable("is longer than 2,000 characters")
    return Value(kind, PART if kind == "user_agent" and match == PART else EXACT, value, raw)
