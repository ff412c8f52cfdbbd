"""Where both judge a digest, the verdict agrees with that of the AWS command line's own validator."""

from __future__ import annotations

import base64
import json

import pytest

from tests.integrity.chain_kit import BUCKET, Kit, der, digest_states, sign

validation = pytest.importorskip("awscli.customizations.cloudtrail.validation")


def theirs(kit: Kit) -> list[bool]:
    """Return for each digest whether AWS's validator takes it, with the saved signature as S3's metadata."""
    answers = []
    for name in kit.names:
        raw = kit.digests[name]
        try:
            value = json.loads(raw) | {"_signature": kit.metadata[name]["signature"]}
            for part in validation.DigestTraverser.required_digest_keys:
                value[part]
            if value["digestS3Bucket"] != BUCKET or value["digestS3Object"] != name:
                raise validation.DigestError("moved")
            key = base64.b64encode(der(kit.key)).decode()
            validation.Sha256RSADigestValidator().validate(BUCKET, name, key, value, raw)
            answers.append(True)
        except (validation.DigestError, ValueError, KeyError):
            answers.append(False)
    return answers


def changed(kit: Kit, what: str) -> None:
    last = kit.names[-1]
    if what == "digest":
        kit.edit(1, newestEventTime="2026-05-05T11:59:00Z")
    elif what == "blank":
        kit.digests[last] += b"\n"
    elif what == "signature":
        kit.metadata[last]["signature"] = sign(b"x")
    elif what == "short signature":
        kit.metadata[last]["signature"] = "00ff"
    elif what == "no hex":
        kit.metadata[last]["signature"] = "zz"
    elif what == "previous signature":
        kit.edit(2, previousDigestSignature=kit.metadata[kit.names[0]]["signature"])
    elif what == "logs":
        kit.edit(0, logFiles=[])
    elif what == "bucket":
        kit.edit(0, digestS3Bucket="elsewhere")
    elif what == "key":
        kit.edit(0, digestS3Object="elsewhere.json.gz")
    elif what == "no json":
        kit.digests[last] = b"{"


CHANGES = (
    "nothing", "digest", "blank", "signature", "short signature", "no hex", "previous signature", "logs", "bucket", "key",
    "no json",
)  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_both_agree(what):
    kit = Kit()
    changed(kit, what)
    names = {v.digest.piece.name: v.state for chain in kit.check().chains for v in chain.verdicts if v.digest}
    ours = [names[name] in ("valid", "valid_via_successor") for name in kit.names]
    assert ours == theirs(kit)
    assert (what == "nothing") == all(ours)


def test_a_sound_chain_is_sound_to_both():
    kit = Kit(hours=6)
    assert theirs(kit) == [True] * 6
    assert digest_states(kit.check()) == ["valid"] * 6
