"""`python -m hazardcast_tools` is `hazardcast`."""

from hazardcast_tools.cli import main

if __name__ == "__main__":
    main()
