"""Every threshold and weight of the verdicts, in one place. They are starting points; docs/verdicts.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: What each sign weighs. Signs of one root count once, by the heaviest; together they make use unexplained, never more.
WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "network": 4,
        "volume": 3,
        "cost": 3,
        "dormant": 3,
        "address": 3,
        "remainder": 3,
        "model": 2,
        "tier": 2,
        "control_plane": 2,
        "agent": 1,
        "near_address": 1,
        "off_hours": 1,
        "token_shape": 1,
        "after_rotation": 1,
        "failures": 1,
        # Told beside the others, without weight of its own: it says nothing about this key.
        "together": 0,
        "surroundings": 0,
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds. Ratios are integers per thousand, so that no result holds a float."""

    #: A spike is this many robust deviations above the median of the same hours (thousandths).
    spike_z: int = 6_000
    #: ... and this many times that median.
    spike_ratio: int = 3
    #: ... and at least this many tokens or requests in a bucket.
    spike_tokens: int = 100_000
    spike_requests: int = 50
    #: ... in at least this many buckets.
    spike_buckets: int = 2
    #: Days of covered usage before the baseline ends without which there is no baseline.
    baseline_days: int = 7
    #: Samples of the same hour of the week needed before hour of day, then all hours, are used.
    seasonal_samples: int = 3
    #: A remainder after a gateway counts above this share of the provider's figure (per thousand) and this many requests.
    remainder_share: int = 50
    remainder_requests: int = 20
    remainder_buckets: int = 2
    #: A silence in a region's log longer than this is a gap.
    log_gap_hours: int = 6
    #: Usage that ends more than this before the window does cannot show the rest.
    usage_end_hours: int = 24
    #: A key used within this time before the horizon of its usage export is still active as of that horizon.
    active_hours: int = 24
    #: A stated rotation or revocation is contradicted when the log's time is further away than this.
    stated_minutes: int = 15
    #: ... and a stated creation when the provider's is.
    created_hours: int = 24
    #: This many keys made or rotated within this time of each other after T0 are a mass rotation.
    mass_rotation_keys: int = 3
    mass_rotation_hours: int = 24
    #: Signs make use unexplained from this weight on.
    unexplained_weight: int = 2
    #: A key proven unused for so many days, then used, was dormant.
    dormant_days: int = 14
    #: Hours of the day that hold this share of earlier use (per thousand) are the usual ones ...
    usual_share: int = 950
    #: ... and a day with this share of its requests (per thousand) outside them is unusual.
    off_hours_share: int = 400
    #: A ratio of tokens departs at this many robust deviations (thousandths), a day when so many of three do.
    shape_z: int = 5_000
    shape_ratios: int = 2
    #: A day's billed cost is unusual at so many robust deviations (thousandths), times the median, and units of currency.
    cost_z: int = 5_000
    cost_ratio: int = 2
    cost_floor: int = 20
    #: Customers, this one included, whose unusual use began within so many hours of each other.
    together_customers: int = 3
    together_hours: int = 6
    #: What more principals than this ever used says nothing of who is behind a credential; for attribution, not for verdicts.
    attribution_principals: int = 3

    @staticmethod
    def weight(sign: str) -> int:
        """Return what a sign weighs. Raises KeyError for one that has no weight."""
        return WEIGHTS[sign]


DEFAULT = Policy()
