"""Where scripts look for the log."""
