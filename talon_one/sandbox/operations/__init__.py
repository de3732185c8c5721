"""The operations that the sandbox answers: one module per subject, each with its `OPERATIONS`."""
