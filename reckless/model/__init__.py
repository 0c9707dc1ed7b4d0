"""What things are: names, versions, manifests, the catalog, state. Pure: no files, processes, network or clock."""
