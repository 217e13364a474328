"""`python -m hazardcast` is `hazardcast`."""

from hazardcast.cli import main

if __name__ == "__main__":
    main()
