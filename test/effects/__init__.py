"""Effects: typed props, functions for each, exact sums, codes, what an answer changes."""
