"""How a customer makes hashes of its own keys: one line for its own machine, so that no key has to be sent.

Keys stand in a file, one a line; none is ever an argument, so none shows in a list of processes or a shell's history.
What comes out is a key inventory that `keytrail ingest` reads: the SHA-256 and the last four characters of each key.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Columns of the file that the commands write; each is one that a key inventory knows.
COLUMNS = "customer,provider,hint,key_sha256"


@dataclass(frozen=True, slots=True)
class HashCommand:
    """One line for one shell. CUSTOMER and PROVIDER are to be replaced, keys.txt holds one key a line."""

    shell: str
    line: str


_PYTHON = (
    "python3 -c \"import sys,hashlib as h;print('" + COLUMNS + "');"
    "[print('CUSTOMER,PROVIDER,...'+k[-4:]+','+h.sha256(k.encode()).hexdigest()) for k in map(str.strip,sys.stdin) if k]\""
    " < keys.txt > key_hashes.csv"
)
_SH = (
    "{ echo " + COLUMNS + '; tr -d \'\\r\' < keys.txt | while IFS= read -r k || [ -n "$k" ]; do [ -z "$k" ] || '
    'printf \'CUSTOMER,PROVIDER,...%s,%s\\n\' "${k#"${k%????}"}" "$(printf %s "$k" | openssl dgst -sha256 -r | cut -c1-64)"; done; }'
    " > key_hashes.csv"
)
_POWERSHELL = (
    "& { '"
    + COLUMNS
    + "'; $h=[Security.Cryptography.SHA256]::Create(); Get-Content keys.txt | Where-Object { $_.Trim() } | ForEach-Object "
    "{ $k=$_.Trim(); 'CUSTOMER,PROVIDER,...' + $k.Substring([Math]::Max(0,$k.Length-4)) + ',' + [BitConverter]::ToString("
    "$h.ComputeHash([Text.Encoding]::UTF8.GetBytes($k))).Replace('-','').ToLower() } } | Set-Content -Encoding ascii key_hashes.csv"
)

HASH_COMMANDS = (HashCommand("python", _PYTHON), HashCommand("sh", _SH), HashCommand("powershell", _POWERSHELL))
