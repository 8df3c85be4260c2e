"""`python -m taxcheck.cli` is `taxcheck`."""

from taxcheck.cli import main

main()
