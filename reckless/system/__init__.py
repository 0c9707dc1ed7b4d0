"""The operating system, in one place each: running programs, writing files so that they survive a crash, HTTP with limits."""
