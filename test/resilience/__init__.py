"""Calls while the service fails: breaker, budget, fallbacks, cache, health check."""
