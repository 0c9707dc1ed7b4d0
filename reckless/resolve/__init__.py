"""Which releases fit together, and the explanation when none do. Pure."""
