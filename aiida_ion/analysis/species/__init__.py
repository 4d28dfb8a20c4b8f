"""Which elements are mobile, which are the framework, and the total conductivity."""
