"""Parts of a material's page: the result in large type with its checks in a line, and its structure."""
