"""The trust test of an installation: every known corruption is planted and must be found."""
