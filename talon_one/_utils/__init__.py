"""What every room uses: quoting in messages, suggestions, and errors of foreign objects."""
