"""Pure functions of hyperbolic geometry; each cites its equation."""
