"""Tests of the conveniences for a checkout."""
