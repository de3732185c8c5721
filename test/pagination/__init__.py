"""Lists, page by page: the rules, both shells over them, and every operation that lists."""
