"""Behaviour of the local Talon.One, seen through real sockets."""
