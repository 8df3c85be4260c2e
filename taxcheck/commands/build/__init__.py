"""From a hierarchy as it is published to the two tables that training reads, proved sound."""
