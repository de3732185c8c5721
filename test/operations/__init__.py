"""Every operation of the API, driven over a socket with arguments made from the description."""
