#!/usr/bin/env python3
"""Is started, and never answers getmanifest."""

import sys

VERSION = "1.0.0"

sys.stdin.read()
