"""Truth and speed, measured side by side with peers; every command prints tables."""
