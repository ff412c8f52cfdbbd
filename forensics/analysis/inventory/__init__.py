"""The keys of a case as people state them and as the logs show them: versions, aliases, lives, rotation."""
