"""Models as views over JSON: fields, validation, encoding, dates, and conversion."""
