"""What the sandbox takes from the API's description, compared with the description itself."""
