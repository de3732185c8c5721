"""The scripts of examples/, the README and the guides, and scripts written for other packages."""
