"""What only the vendor's packages offer, kept so that code written for them runs."""
