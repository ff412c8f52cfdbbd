"""Which value of a place a read or decryption handed out, by time and by the version that it names."""

from __future__ import annotations

from datetime import datetime

import pytest

from forensics.analysis.keys import Key
from forensics.analysis.ledger.values import value_of


def at(hour, minute=0):
    return datetime(2026, 5, 5, hour, minute)


KEY = Key("openai", "key_A", "Acorn", "inventory", created_at=datetime(2026, 1, 1), rotated_at=at(6))
HEIR = Key("openai", "key_B", "Acorn", "inventory", created_at=at(6))


def change(when, version=""):
    return {"event_time": when, "version_id": version}


def read(when, action="GetSecretValue", **named):
    return {"event_time": when, "action": action, **named}


LOGGED = [change(at(1), "v1"), change(at(6), "v2")]
SILENT = [change(at(1)), change(at(6))]


@pytest.mark.parametrize(
    ("what", "changes", "as_left", "as_heir"),
    [
        (read(at(3)), LOGGED, "this", "earlier"),
        (read(at(8)), LOGGED, "later", "this"),
        # The old version, asked for or decrypted after the rotation: the key that left was read, its heir was not.
        (read(at(8), version_id="v1"), LOGGED, "this", "earlier"),
        (read(at(8), "Decrypt", version_id="v1"), LOGGED, "this", "earlier"),
        (read(at(8), "Decrypt", version_id="v2"), LOGGED, "later", "this"),
        # Written before the log began: no later value.
        (read(at(8), version_id="v0"), LOGGED, "this", "this"),
        (read(at(8), "Decrypt", version_id="v0"), LOGGED, "this", "this"),
        # A log that tells no versions leaves the time; a version asked for by id stays with the key.
        (read(at(8), "Decrypt", version_id="v2"), SILENT, "later", "this"),
        (read(at(8), version_id="v2"), SILENT, "this", "this"),
        (read(at(8), version_stage="AWSPREVIOUS"), LOGGED, "this", "earlier"),
        (read(at(8), "GetParameterHistory"), LOGGED, "this", "this"),
    ],
)
def test_value_of_a_read(what, changes, as_left, as_heir):
    assert value_of(what, KEY, changes, at(6)) == as_left
    assert value_of(what, HEIR, changes, None) == as_heir
