"""Evidence packages: seal, verify, replay."""
