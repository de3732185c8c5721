"""Sessions of users, and several Applications."""
