"""A release's source on disk, verified before anything in it runs: git at an exact commit, archives by sha256."""
