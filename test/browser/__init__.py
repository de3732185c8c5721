"""The page of the sandbox in a browser. `.ci/browser` runs this; `pytest` alone does not."""
