"""What things are: names, versions, manifests, the catalog, state and plans. Pure: no files, processes, network or clock."""
