"""Starts the stand-in lightningd."""

import sys

import daemon

sys.exit(daemon.main(sys.argv[1:]))
