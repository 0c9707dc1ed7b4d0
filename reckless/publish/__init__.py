"""The index maintainer's verbs: manifests in, a tree of static files out."""
