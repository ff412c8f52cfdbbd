"""Level 1: the bytes are those that were sealed. Needs nothing but hashes; `sha256sum -c` shows most of it too."""

from __future__ import annotations

from hashlib import sha256

from forensics.evidence.checks import Check, CheckFailedError, CheckState, Package, check, require
from forensics.evidence.manifest import (
    DECLARATION,
    DECLARATION_BYTES,
    INFO,
    TAG_FILES,
    TAG_MANIFEST,
    canonical,
    read_oxum,
)
from forensics.store.custody import check_chain


def integrity(package: Package) -> list[Check]:
    """Return the checks of level 1."""
    return [
        check("integrity.names", lambda: _names(package)),
        check("integrity.regular_files", lambda: _regular(package)),
        check("integrity.bag", lambda: _bag(package)),
        check("integrity.tag_manifest", lambda: _tags(package)),
        check("integrity.payload_manifest", lambda: _payload(package)),
        check("integrity.package_json", lambda: _canonical(package)),
        check("integrity.custody", lambda: _custody(package)),
        _digest(package),
    ]


def _names(package: Package) -> str:
    require(package.listing.unsafe_names)
    return f"{len(package.listing.files)} names are safe on every file system"


def _regular(package: Package) -> str:
    require(package.listing.irregular)
    return "regular files only: no link, pipe, device or empty folder"


def _bag(package: Package) -> str:
    if "fetch.txt" in package.listing.files:
        raise CheckFailedError("fetch.txt is there: a package never fetches")
    if package.read(DECLARATION) != DECLARATION_BYTES:
        raise CheckFailedError("bagit.txt is not that of BagIt 1.0 in UTF-8")
    payload = {n: s for n, s in package.listing.files.items() if n.startswith("data/")}
    found = (sum(payload.values()), len(payload))
    stated = read_oxum(package.read(INFO))
    if stated != found:
        raise CheckFailedError(f"bag-info.txt states {stated} (bytes, files), data/ holds {found}")
    return f"BagIt 1.0, {found[1]} payload files, {found[0]} bytes"


def _tags(package: Package) -> str:
    if sorted(package.tags) != sorted(TAG_FILES):
        raise CheckFailedError(f"the tag manifest covers {sorted(package.tags)}")
    require(_differing(package, package.tags))
    return f"{len(package.tags)} hashes agree"


def _payload(package: Package) -> str:
    require(_differing(package, package.payload))
    return f"{len(package.payload)} hashes agree"


def _differing(package: Package, manifest: dict[str, str]) -> list[str]:
    faults = []
    for name, digest in manifest.items():
        if name not in package.listing.files:
            faults.append(f"{name} is missing")
        elif package.sha256(name) != digest:
            faults.append(f"{name} has another SHA-256")
    return faults


def _canonical(package: Package) -> str:
    if canonical(package.facts) != package.read("data/package.json"):
        raise CheckFailedError("package.json is not in canonical form")
    return "package.json is canonical JSON (RFC 8785)"


def _custody(package: Package) -> str:
    head, faults = check_chain(package.read("data/custody/custody.jsonl"))
    require(faults)
    pinned = package.facts["custody"]
    if (head.records, head.sha256) != (pinned["records"], pinned["head_sha256"]):
        raise CheckFailedError(
            f"the chain ends at record {head.records}, package.json pins {pinned['records']} or another head"
        )
    return f"{head.records} acts, each following the one before; the head is as pinned"


def _digest(package: Package) -> Check:
    if TAG_MANIFEST not in package.listing.files:
        return Check("integrity.digest", CheckState.FAIL, f"{TAG_MANIFEST} is missing")
    digest = sha256(package.read(TAG_MANIFEST)).hexdigest()
    return Check(
        "integrity.digest",
        CheckState.PASS,
        f"{digest} is what these files have; compare it with the digest you were told",
    )
