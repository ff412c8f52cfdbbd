"""Use cases over the store: hunt, exposure, timeline, triage."""
