"""Every schema of the API: its class, and JSON objects of every kind in it."""
