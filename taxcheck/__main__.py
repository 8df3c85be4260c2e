"""`python -m taxcheck` is `taxcheck`, but for what Python has imported until it gets here."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # the folder that the user is in, where any file could pose as a plugin

from taxcheck.cli import main

main()
