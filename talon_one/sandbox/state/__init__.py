"""The state of a sandbox in SQLite: entities as the API's own JSON objects, and the journal."""
