"""Every threshold of the verdicts, in one place. They are starting points; docs/verdicts.md lists them."""

from __future__ import annotations

from dataclasses import dataclass


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
    #: What more principals than this ever used says nothing of who is behind a credential; for attribution, not for verdicts.
    attribution_principals: int = 3


DEFAULT = Policy()
