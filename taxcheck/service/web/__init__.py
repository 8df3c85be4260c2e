"""What REST and pages share of HTTP: who is let in, what is refused, and how that is said."""
