"""Bulk work: chunks, failures, tokens, and both shells."""
