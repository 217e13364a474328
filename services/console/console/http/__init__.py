"""The HTTP interface as a whole: the application, its server, its headers and static files."""
