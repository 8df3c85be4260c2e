"""taxcheck inside of other programs: pytest, a training loop, a notebook."""
