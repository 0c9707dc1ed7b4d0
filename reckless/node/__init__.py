"""lightningd as a plugin manager meets it: lightning-cli, its config files, and a probe that speaks getmanifest to a plugin."""
