"""Innocent explanations of unusual use: tested where the evidence can, else a question that would settle it."""

from __future__ import annotations

from forensics.analysis.facts import Alternative, Facts
from forensics.analysis.keys import Key
from forensics.analysis.misuse.expected import Expected
from forensics.model.case import Statement
from forensics.model.clock import iso


def launches(key: Key, facts: Facts, launch: Statement | None, logged: Expected | None) -> list[Alternative]:
    """Return what a stated launch, or complete logs of the customer's own use, say about unusual use."""
    if launch:
        when = f"{iso(launch.since) if launch.since else 'any time'} to {iso(launch.until) if launch.until else 'any time'}"
        text = f"A launch or campaign of {key.customer or 'the customer'}"
        return [Alternative(text, True, f"stated by {launch.by} for {when}: {launch.text}")]
    if logged:
        result = f"{', '.join(logged.logs)}, declared complete by {', '.join(logged.by)}, holds this use"
        return [Alternative("The customer's own gateways and applications made these calls", True, result)]
    stated = [s for s in facts.settings.statements if s.kind == "launch" and s.key_id == key.key_id]
    result = (
        "a launch was stated, but the unusual use goes beyond its times"
        if stated
        else "ask the customer whether a launch, migration or batch job ran then"
    )
    return [Alternative("A launch, migration or batch job of the customer", bool(stated), result)]


def of_many() -> Alternative:
    """Return what may explain that many customers depart from their past at once."""
    return Alternative(
        "An outage of the provider, its end, or a new model moved many customers at once",
        False,
        "look up the provider's status page and releases of those hours, and ask a customer whose key was not exposed",
    )


def others() -> list[Alternative]:
    """Return explanations that only the customer can test."""
    return [
        Alternative(
            "Another application of the customer shares the key",
            False,
            "ask the customer which applications use this key, and for their logs",
        ),
        Alternative(
            "A change of price, model default or prompt changed the shape of ordinary use",
            False,
            "ask the customer for its deployments of that week",
        ),
    ]
