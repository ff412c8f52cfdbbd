"""What the exports of a key cannot show, so that silence is not taken for an answer."""

from __future__ import annotations

from forensics.analysis.facts import Facts
from forensics.analysis.keys import Key
from forensics.analysis.misuse.act_signs import sources_of
from forensics.analysis.usage import Series, owned, preferred

NO_ADDRESS = (
    "the provider's usage export carries no address and no user agent, so where the calls came from is not shown"
)


def not_shown(key: Key, facts: Facts, series: Series | None) -> list[str]:
    """Return in words what the evidence of a key cannot show, in a fixed order."""
    sources = sources_of(key, facts)
    out = []
    if series is None:
        others = [
            c for c in facts.coverage
            if c["provider"] == key.provider and owned(key, c["owner"] or "") and c["granularity_s"] and c["endpoint"] not in {"costs", "audit"}
        ]  # fmt: skip
        if others and not any({"api_key_id", "key"} & set((c["grouped_by"] or "").split(",")) for c in others):
            out.append("the usage exports supplied are not grouped by key: use of this key is not told apart")
    elif not any(r["source_ip"] for r in sources):
        out.append(NO_ADDRESS)
    if series is not None and series.granularity_s > 3600:
        out.append(
            "usage comes by day or longer: hours of use, and what came before the read on its day, are not shown"
        )
    addresses = {r["source_ip"] for r in sources if r["source_ip"]}
    placed = {r["source_ip"] for r in sources if r["asn"]}
    if addresses and not placed:
        out.append(
            "no file of the case tells the autonomous systems of the addresses: to whom they belong is not judged"
        )
    elif addresses - placed:
        out.append(
            f"no file of the case tells the autonomous system of {len(addresses - placed)} of {len(addresses)} addresses"
        )
    if sources and not any(r["user_agent"] for r in sources):
        out.append("the request logs carry no user agent")
    days = preferred(key, facts.usage_days.get((key.provider, key.key_id), []))
    if series is not None and not any(r["service_tier"] for r in days):
        out.append("usage is not grouped by service tier: a new tier would not show")
    if not preferred(key, facts.billed.get((key.provider, key.key_id), [])):
        out.append("no billed cost names this key: cost is not judged")
    if not facts.acts_of(key.provider, key.customer):
        out.append("no audit log of the provider was supplied: changes of keys, members and limits would not show")
    return out
