"""A hostile server on real sockets: what each failure does to a call, and what it never does."""
