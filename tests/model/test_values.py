"""Times, addresses, safe text, settings: the values everything rests on."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.model.address import network_bounds, read_address
from forensics.model.case import read_settings
from forensics.model.errors import ExitCode, UsageFault, first_of
from forensics.model.text import sheet_safe, term_safe, visible
from forensics.model.times import parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-05T02:11:00Z", datetime(2026, 5, 5, 2, 11)),
        ("2022-02-08 09:23:37+11:00", datetime(2022, 2, 7, 22, 23, 37)),
        ("2026-05-05T02:11:00.123456789Z", datetime(2026, 5, 5, 2, 11, 0, 123456)),
        ("20131102T010628Z", datetime(2013, 11, 2, 1, 6, 28)),
        ("Jul 10, 2023, 12:31:14\u202fPM", datetime(2023, 7, 10, 12, 31, 14)),
        ("1794614400", datetime(2026, 11, 14)),
        ("1794614400123", datetime(2026, 11, 14, 0, 0, 0, 123000)),
        ("1794614400123456789", datetime(2026, 11, 14, 0, 0, 0, 123456)),
        ("2026-02-30T00:00:00Z", None),
        ("soon", None),
    ],
)
def test_times(text, expected):
    assert parse_time(text) == expected


def test_a_local_time_is_refused_where_a_zone_is_needed():
    assert parse_time("2026-05-05 10:00", assume_utc=False) is None
    assert parse_time("2026-05-05 10:00 +02:00", assume_utc=False) == datetime(2026, 5, 5, 8)


@pytest.mark.parametrize(
    ("raw", "text", "kind"),
    [
        ("035.249.253.232", "35.249.253.232", "public"),
        ("::ffff:192.0.2.1", "192.0.2.1", "public"),
        ("2001:0DB8::1", "2001:db8::1", "public"),
        ("10.0.0.1", "10.0.0.1", "private"),
        ("secretsmanager.amazonaws.com", None, "aws_service"),
        ("AWS Internal", None, "aws_service"),
        ("999.1.1.1", None, "other"),
        (None, None, "other"),
    ],
)
def test_addresses(raw, text, kind):
    address = read_address(raw)
    assert (address.text, address.kind) == (text, kind)
    assert (address.key is None) == (text is None)


def test_one_order_holds_for_both_versions():
    low, high = network_bounds("192.0.2.0/24")
    key = read_address("192.0.2.77").key
    assert key is not None and low <= key <= high and len(key) == 32


@given(st.text())
def test_terminal_text_has_no_control_character(text):
    safe = term_safe(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF for c in safe)
    assert not set(safe) & set("\u202e\u2066\u200b\ufeff")


@given(st.text())
def test_sheet_text_never_begins_a_formula(text):
    assert not sheet_safe(text).lstrip(" \x00\ufeff\u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))


def test_invisible_marks_are_shown():
    assert visible("a\u202eb\x1bc") == "a[U+202E]b[U+001B]c"


def test_settings_name_all_faults_at_once():
    with pytest.raises(UsageFault) as caught:
        read_settings(b'[case]\ntlp = "PINK"\n[times]\nt0 = 2026-05-05T02:11:00\n[own]\negress = ["home"]\n[x]\n')
    for words in ("case.tlp", "times.t0 has no zone", "own.egress", "unknown table [x]"):
        assert words in str(caught.value)


def test_first_exit_code_of_several():
    assert first_of({ExitCode.UNREADABLE, ExitCode.FINDINGS, ExitCode.UNDECIDED}) is ExitCode.FINDINGS
    assert first_of({ExitCode.NOT_VERIFIED, ExitCode.FINDINGS}) is ExitCode.NOT_VERIFIED
    assert first_of(set()) is ExitCode.DONE
