"""The operating system, in one place each: running programs, crash-safe file writes, HTTP with limits."""
