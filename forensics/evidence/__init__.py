"""Evidence packages: sealed from a case, verified and reproduced by anybody."""
