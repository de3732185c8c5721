"""What `--help` says of the operations: one module for each API, generated from `spec/`."""
