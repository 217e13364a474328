"""Records every camera into segments named by wall clock."""
