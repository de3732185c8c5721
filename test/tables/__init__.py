"""CSV exports and imports as tables."""
