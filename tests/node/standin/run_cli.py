"""Starts the stand-in lightning-cli; two lines, so that the rest comes from compiled modules."""

import sys

import cli

sys.exit(cli.main(sys.argv[1:]))
