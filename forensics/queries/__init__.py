"""Read, check and catalogue the query files; knows no provider."""
