"""The cast, the places and the clock of the incident; every other module reads them from here."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.sample.times import DAY, epoch

VENDOR = "Lanternfish"
DOMAIN = "lanternfish.example"
ACCOUNT = "111122223333"
FOREIGN_ACCOUNT = "444455556666"
BUCKET = "lanternfish-trail-logs"
US, EU, AP = "us-east-1", "eu-central-1", "ap-southeast-2"

T0 = epoch("2026-05-05T02:11:00Z")
DETECTED = epoch("2026-05-05T08:40:00Z")
CONTAINED = epoch("2026-05-05T10:30:00Z")
INCIDENT_DAY = epoch("2026-05-05T00:00:00Z")
END = epoch("2026-05-08T00:00:00Z")
SELECTORS_REDUCED = epoch("2026-05-05T02:49:00Z")
LOGGING_STOPPED = epoch("2026-05-05T02:50:00Z")
LOGGING_STARTED = epoch("2026-05-05T03:20:00Z")
BEDROCK_LOGGING_REMOVED = epoch("2026-05-05T03:24:00Z")
SELECTORS_RESTORED = epoch("2026-05-05T10:36:00Z")
BEDROCK_LOGGING_RESTORED = epoch("2026-05-05T10:41:00Z")
DIGEST_FROM = INCIDENT_DAY
DIGEST_UNTIL = epoch("2026-05-05T12:00:00Z")
AS_OF = epoch("2026-05-08T09:00:00Z")

INTRUDER_FIRST = "203.0.113.45"
INTRUDER_SECOND = "198.51.100.77"
CI_EGRESS = "192.0.2.10"
SCANNER_EGRESS = "192.0.2.40"
EXPORTER_EGRESS = "192.0.2.41"
GATEWAY_EGRESS = "192.0.2.60"

CI_KEY = "AKIACIDEPLOY2LEAK777"
CI_KEY_NEW = "AKIACIDEPLOY3NEWA234"
CI_AGENT = "Boto3/1.40.12 md/Botocore#1.40.12 ua/2.1 os/linux#6.8.0 lang/python#3.12.3 cfg/retry-mode#standard"
CLI_AGENT = "aws-cli/2.27.41 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0 md/arch#x86_64 lang/python#3.13.4"
TRAIL_US = f"arn:aws:cloudtrail:{US}:{ACCOUNT}:trail/vendor-us"
TRAIL_EU = f"arn:aws:cloudtrail:{EU}:{ACCOUNT}:trail/vendor-eu"

CHEAP_MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
ABUSED_MODEL = "anthropic.claude-opus-4-5-20251101-v1:0"


@dataclass(frozen=True)
class Settings:
    """What the caller may turn: the seed and the size of the folder (counts are whole numbers)."""

    seed: int = 7
    events: int = 20_000
    files: int = 720
    customers: int = 10
    weeks: int = 5

    @property
    def since(self) -> int:
        """Start of the evidence, in UTC seconds."""
        return INCIDENT_DAY - self.weeks * 7 * DAY


@dataclass(frozen=True)
class Customer:
    """One customer key: where it lies in the vendor's account and what the evidence says about it."""

    name: str
    provider: str
    key_id: str
    kind: str
    region: str
    place: str
    organisation: str
    hint: str
    exposure: str
    abuse: str
    verdict: str

    @property
    def slug(self) -> str:
        """The folder name of the customer."""
        return self.name.lower()


def _secret(name: str, provider: str, key: str, region: str, org: str, hint: str, *ends: str) -> Customer:
    place = f"prod/customers/{name.lower()}/{provider}"
    return Customer(name, provider, key, "secret", region, place, org, hint, *ends)


CAST: tuple[Customer, ...] = (
    _secret(
        "Brindlewick",
        "openai",
        "key_Bw7Qm2XfR4",
        US,
        "org-Brw4Lk8Tz2Vn",
        "sk-proj-...f2Kd",
        "read",
        "established",
        "confirmed",
    ),
    _secret(
        "Tarnhaven",
        "anthropic",
        "apikey_01TarnHv7Kq2",
        US,
        "org_01TarnhvQ8sX3m",
        "sk-ant-api03-...w7Qa",
        "read",
        "established",
        "confirmed",
    ),
    _secret(
        "Oskelund",
        "openai",
        "key_Ok3Lt8ZpN1",
        US,
        "org-Osk9Pd3Wm7Qe",
        "sk-proj-...h9Rt",
        "read",
        "unexplained",
        "suspicious",
    ),
    Customer(
        "Pellamore",
        "openai",
        "key_Pl5Vw1CdS9",
        "ssm",
        US,
        "/prod/customers/pellamore/openai_api_key",
        "org-Pel2Xc6Ry5Bu",
        "sk-proj-...m4Zs",
        "read",
        "explained",
        "explained",
    ),
    _secret(
        "Vexholm",
        "anthropic",
        "apikey_01VexHm4Rt9",
        US,
        "org_01VexhlmT5kD9p",
        "sk-ant-api03-...c3Xe",
        "read",
        "none_seen",
        "exposed_no_abuse_seen",
    ),
    Customer(
        "Grauwacht",
        "openai",
        "key_Gw2Nx6YbT3",
        "lambda",
        US,
        "grauwacht-sync",
        "org-Grw7Hj1Fs9Ka",
        "sk-proj-...v8Lp",
        "configuration_read",
        "not_evaluable",
        "exposed_not_evaluable",
    ),
    _secret(
        "Yarrowdene",
        "anthropic",
        "apikey_01YarDn8Ws5",
        EU,
        "org_01YarrwdC2fN6z",
        "sk-ant-api03-...k5Ub",
        "none_seen",
        "none_seen",
        "not_exposed",
    ),
    _secret(
        "Quillmere",
        "openai",
        "key_Qm9Hs4JkU7",
        EU,
        "org-Qlm5Nv8Ez3Tx",
        "sk-proj-...r6Jn",
        "none_seen",
        "established",
        "misused_path_not_seen",
    ),
    _secret(
        "Dorvalis",
        "openai",
        "key_Dv6Fc3GhW2",
        US,
        "org-Dvl1Mg4Ub6Yc",
        "sk-proj-...t1Ho",
        "decrypted",
        "none_seen",
        "exposed_no_abuse_seen",
    ),
    _secret(
        "Zephrane",
        "openai",
        "key_Zp1Kd7MvX8",
        US,
        "org-Zph6Ra2Sq8Wj",
        "sk-proj-...y7Gi",
        "read",
        "established",
        "confirmed",
    ),
)

_HEADS = ("Ald", "Corv", "Fenn", "Hask", "Ister", "Jorl", "Lumb", "Morv", "Nesk", "Ulver")
_TAILS = ("acre", "bridd", "combe", "dray", "fold", "garth", "hythe", "lund", "mark", "stow")


def customers(settings: Settings) -> tuple[Customer, ...]:
    """Give the ten of the story, and as many quiet ones in eu-central-1 as the settings add."""
    extra = []
    for number in range(len(CAST), settings.customers):
        index = number - len(CAST)
        pair, lap = index % 100, index // 100
        name = f"{_HEADS[pair % 10]}{_TAILS[pair // 10]}" + (f"{lap:02d}x" if lap else "")
        extra.append(
            _secret(
                name,
                "openai",
                f"key_Xt{number:06d}",
                EU,
                f"org-Extra{number:06d}",
                f"sk-proj-...{number:04d}",
                "none_seen",
                "none_seen",
                "not_exposed",
            )
        )
    return CAST + tuple(extra)


def named(name: str) -> Customer:
    """Give the customer of the story with this name; KeyError where there is none."""
    return {customer.name: customer for customer in CAST}[name]


STATED_LAUNCH = (epoch("2026-05-05T14:00:00Z"), epoch("2026-05-06T02:00:00Z"))
TARNHAVEN_ROTATED = epoch("2026-05-05T11:05:00Z")
ZEPHRANE_DELETED = epoch("2026-05-05T12:20:00Z")
DORVALIS_FIRST_EXPORT = epoch("2026-05-06T10:30:00Z")
GATEWAY_LOG_FROM = epoch("2026-04-17T00:00:00Z")
