"""Helpers for all packages: quoting in messages, suggestions, errors of objects of the caller."""
