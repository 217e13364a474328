"""Detection models: which there are to fetch, fetching them, and seeing what a file is."""
