"""What a release of the platform changes: two OpenAPI files, compared with ``spec/``."""
