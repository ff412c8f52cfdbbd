"""One module a log format; nothing else may know a provider's field names."""
