#!/usr/bin/env python3
"""Exits as soon as it is started."""

import sys

VERSION = "1.0.0"

sys.exit("cannot find my configuration")
