"""How tables read a database: projections, kinds of columns, files, no writing."""
