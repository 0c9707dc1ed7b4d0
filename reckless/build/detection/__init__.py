"""The parts of detection, one module a language; reckless/build/detect.py puts them together."""
