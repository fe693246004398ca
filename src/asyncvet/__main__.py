"""`python -m asyncvet`."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        # `-m` puts the current folder there: what is reviewed, which must neither run nor stand in for the standard library.
        del sys.path[0]

    from asyncvet.cli import main

    sys.exit(main())
