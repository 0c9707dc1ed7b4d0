"""The plugin manager for Core Lightning."""

__version__ = "0.1.0"
