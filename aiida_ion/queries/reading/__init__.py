"""Reading a database for tables: projections, kinds of columns, files; no writing."""
