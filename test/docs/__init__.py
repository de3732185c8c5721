"""What the README and the pages of docs/ say is true: links, examples, tables."""
