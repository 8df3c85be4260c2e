"""How a database comes to have the tables: a step for each release that changed them."""
