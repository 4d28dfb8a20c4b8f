"""Answers to requests: checked, kept while they are right, and compressed; which archive a row is from."""
