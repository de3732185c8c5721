"""Webhooks: from the body to its class, secrets, receivers, and the examples for frameworks."""
