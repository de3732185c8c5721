"""Profiles: hosts and credentials by name, in one TOML file of the user."""
