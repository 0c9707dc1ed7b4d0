"""A release's source on disk, verified before anything in it runs."""
