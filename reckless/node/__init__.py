"""lightningd: its lightning-cli, its config files, and a probe that asks a plugin what lightningd would ask it."""
