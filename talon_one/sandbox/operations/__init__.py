"""The operations that the sandbox handles: one module per subject, each with its `OPERATIONS`."""
