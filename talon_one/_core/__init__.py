"""A call without I/O: operations, requests, responses, retries, queues, and hooks."""
