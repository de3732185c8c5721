"""Stories about whole shops, told over real sockets."""
