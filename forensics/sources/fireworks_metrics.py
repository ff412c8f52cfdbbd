"""Usage events of Fireworks, one line each, from `firectl billing export-metrics`. They name e-mail and model, no key.

https://docs.fireworks.ai/accounts/exporting-billing-metrics
"""

from __future__ import annotations

from forensics.sources.named_rows import NamedFormat

SOURCE = NamedFormat(
    id="fireworks_metrics",
    title="Fireworks billing metrics",
    provider="fireworks",
    reference="https://docs.fireworks.ai/accounts/exporting-billing-metrics",
    core=(frozenset({"email", "starttime", "endtime", "usagetype", "basemodelname"}),),
    times=("starttime",),
    ends=("endtime",),
    texts={"principal": ("email",), "operation": ("usagetype",), "model": ("basemodelname",)},
    counts={"input_tokens_total": ("prompttokens",), "output_tokens": ("completiontokens",)},
)
