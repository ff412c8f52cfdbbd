"""How evidence is collected: read-only commands, what each source keeps for how long, sorted by what is lost first."""
