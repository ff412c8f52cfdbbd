"""The case on disk: its folder, its custody log and its DuckDB store."""
