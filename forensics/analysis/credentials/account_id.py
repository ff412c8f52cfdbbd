"""The account that an access key id itself names.

Ids of 20 characters carry the account number in base 32. AWS does not document this; researchers found it:
https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489. So it is a hint, never proof.
"""

from __future__ import annotations

import re
from base64 import b32decode

_FORM = re.compile(r"A[KS]IA[A-Z2-7]{16}")
_MASK = 0x7FFFFFFFFF80


def account_in(credential_id: str) -> str:
    """Return twelve digits, or empty text for an id of another form."""
    if not _FORM.fullmatch(credential_id):
        return ""
    number = (int.from_bytes(b32decode(credential_id[4:])[:6]) & _MASK) >> 7
    return f"{number:012d}" if number < 10**12 else ""
