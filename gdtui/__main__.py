"""`python -m gdtui`: the console script by another name."""

import sys

from gdtui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
