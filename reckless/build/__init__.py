"""One module a language behind one Protocol: a source tree in, an entrypoint that lightningd can start out."""
