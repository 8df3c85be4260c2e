"""`python -m taxcheck` is `taxcheck`, for `torchrun -m taxcheck` too."""

from taxcheck.cli import main

main()
