"""Bulk jobs: chunks, failures, resume tokens, and both clients."""
