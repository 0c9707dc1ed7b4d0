"""Where manifests come from: a static index over HTTPS or in a directory, the embedded snapshot, and the cache between."""
