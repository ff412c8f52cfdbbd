"""Values only: what the other layers speak of. Standard library only, no I/O."""
