"""What is installed: the layout on disk, state.json, the lock and the journal."""
