"""The blocking transport over urllib3, and what both transports share."""
