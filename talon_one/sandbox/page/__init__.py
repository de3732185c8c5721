"""The page of the sandbox at `/_sandbox`: its files, and the data that it shows."""
