"""Effects: typed props, handlers, exact sums, codes, differences between responses."""
