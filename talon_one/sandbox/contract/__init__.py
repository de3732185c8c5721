"""What the API's description says about requests and responses, read from the SDK's own classes."""
