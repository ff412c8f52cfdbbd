"""The folder of each customer: exports in the several forms in which they really arrive."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path

from forensics.sample import audit_trails, provider_anthropic, provider_openai
from forensics.sample.cloudtrail import encode
from forensics.sample.documents import Receipts
from forensics.sample.gateway import log_from, spend_lines
from forensics.sample.gzip_file import GzipFile, write_gzip
from forensics.sample.identities import Record
from forensics.sample.story import AS_OF, DORVALIS_FIRST_EXPORT, END, Customer, Settings, customers
from forensics.sample.times import HOUR

_WITH_COSTS = ("Brindlewick", "Oskelund", "Pellamore")
_MAIL = "encrypted mail"


class CustomerFiles:
    """Writes customers' exports below a folder and notes their receipts and the story's event ids."""

    def __init__(self, folder: Path, settings: Settings, receipts: Receipts) -> None:
        self._folder = folder
        self._settings = settings
        self._receipts = receipts
        self.steps: dict[str, list[str]] = defaultdict(list)
        self.gateway_requests = 0

    def write_all(self) -> None:
        """Write every customer but the one who sent nothing."""
        for number, customer in enumerate(customers(self._settings)):
            if customer.name == "Grauwacht":
                continue
            received = AS_OF + 1200 + 900 * number
            if customer.name == "Dorvalis":
                self._dorvalis(customer)
                continue
            self._usage(customer)
            self._receipts.add_customer(customer, f"customers/{customer.slug}", _MAIL, received)
            if customer.name in _WITH_COSTS:
                self._plain(customer, "openai_costs.json", provider_openai.cost_page(self._settings, customer))
            self._special(customer, received)

    def _path(self, customer: Customer, name: str) -> Path:
        path = self._folder / "customers" / customer.slug / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _plain(self, customer: Customer, name: str, value: Record) -> str:
        """Indented JSON as a person saves it; returns its SHA-256."""
        content = (json.dumps(value, indent=1) + "\n").encode()
        self._path(customer, name).write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def _lines(self, customer: Customer, name: str, pages: list[Record]) -> None:
        write_gzip(self._path(customer, name), "".join(encode(page) + "\n" for page in pages).encode())

    def _usage(self, customer: Customer) -> None:
        """One page a line, one file a page, or all pages in an array: each customer his own way."""
        if customer.provider == "anthropic":
            pages, name = provider_anthropic.usage_pages(self._settings, customer), "anthropic_usage"
        else:
            pages, name = provider_openai.usage_pages(self._settings, customer), "openai_usage"
        if customer.name == "Oskelund":
            for number, page in enumerate(pages, 1):
                write_gzip(self._path(customer, f"{name}_page_{number:02d}.json.gz"), encode(page).encode())
        elif customer.name in ("Brindlewick", "Vexholm"):
            write_gzip(self._path(customer, f"{name}.json.gz"), encode(pages).encode())
        else:
            self._lines(customer, f"{name}.jsonl.gz", pages)

    def _special(self, customer: Customer, received: int) -> None:
        if customer.name == "Brindlewick":
            self._gateway(customer, received)
        elif customer.name == "Tarnhaven":
            self._plain(customer, "anthropic_cost.json", provider_anthropic.cost_page(self._settings, customer))
            self._audit(customer, "anthropic_activity", *audit_trails.anthropic_activity(self._settings))
        elif customer.name in ("Quillmere", "Zephrane"):
            self._audit(customer, "openai_audit", *audit_trails.openai_audit(self._settings, customer.name))

    def _audit(self, customer: Customer, name: str, pages: list[Record], steps: dict[str, list[str]]) -> None:
        for number, page in enumerate(pages, 1):
            self._plain(customer, f"{name}_{number}.json", page)
        for step, ids in steps.items():
            self.steps[step] += ids

    def _gateway(self, customer: Customer, received: int) -> None:
        name = "litellm_spend.jsonl.gz"
        with GzipFile(self._path(customer, name)) as target:
            for line in spend_lines(self._settings):
                target.write((line + "\n").encode())
                self.gateway_requests += 1
        self._receipts.add_customer(
            customer,
            f"customers/{customer.slug}/{name}",
            "database export, sealed disk",
            received,
            since=log_from(self._settings),
        )

    def _dorvalis(self, customer: Customer) -> None:
        """Two exports of the same months; in the first the last hours were still being counted."""
        for taken, received in (
            (DORVALIS_FIRST_EXPORT, DORVALIS_FIRST_EXPORT + HOUR // 2),
            (END, AS_OF + 5400),
        ):
            day = "2026-05-06" if taken < END else "2026-05-08"
            name = f"openai_usage_{day}.jsonl.gz"
            self._lines(customer, name, provider_openai.usage_pages(self._settings, customer, taken))
            self._receipts.add_customer(customer, f"customers/{customer.slug}/{name}", _MAIL, received, until=taken)
