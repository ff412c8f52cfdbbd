"""A place on earth as three whole numbers, so that distances can be compared without fractions.

x, y and z are kilometres from the centre of a sphere of 6,371 km (the mean radius of the International Union of Geodesy
and Geophysics): x towards latitude 0 and longitude 0, y towards longitude 90 east, z towards the north pole. The straight
line between two such points is the square root of a sum of squares, and never longer than the way over the ground: of
5,000 km it lacks 128, of 1,000 km one. Rounding moves each point by less than one kilometre.
"""

from __future__ import annotations

from math import cos, isfinite, radians, sin
from typing import Any

from forensics.enrichment.facts import EARTH_X, EARTH_Y, EARTH_Z, RADIUS

EARTH_KM = 6371
#: Where a database states no radius: what such databases usually state for a city.
USUAL_RADIUS_KM = 50
_LARGEST_RADIUS = 20_000


def place_facts(location: Any) -> list[tuple[str, str]]:
    """Return the facts of a `location` with `latitude` and `longitude` in degrees; none when it has no place on earth."""
    if not isinstance(location, dict):
        return []
    latitude, longitude = _degrees(location.get("latitude"), 90), _degrees(location.get("longitude"), 180)
    if latitude is None or longitude is None:
        return []
    stated = location.get("accuracy_radius")
    known = isinstance(stated, int) and not isinstance(stated, bool) and 0 < stated <= _LARGEST_RADIUS
    high, round_about = radians(latitude), radians(longitude)
    return [
        (EARTH_X, str(round(EARTH_KM * cos(high) * cos(round_about)))),
        (EARTH_Y, str(round(EARTH_KM * cos(high) * sin(round_about)))),
        (EARTH_Z, str(round(EARTH_KM * sin(high)))),
        (RADIUS, str(stated if known else USUAL_RADIUS_KM)),
    ]


def _degrees(value: Any, most: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value) if -most <= value <= most else None
