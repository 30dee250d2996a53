"""Where scripts look for the parts of Brian 2 that are not groups."""
