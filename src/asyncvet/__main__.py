"""`python -m asyncvet`."""

import sys

from asyncvet.cli import main

if __name__ == "__main__":
    sys.exit(main())
