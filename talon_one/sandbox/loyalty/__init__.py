"""Loyalty programs: pure algorithms over the entries of ledgers, tiers, and achievements."""
