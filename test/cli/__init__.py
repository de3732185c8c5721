"""The `talon-one` command, run the way its users run it."""
