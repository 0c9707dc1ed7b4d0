"""Where manifests come from: an index over HTTPS or in a folder, the embedded snapshot, the cache."""
