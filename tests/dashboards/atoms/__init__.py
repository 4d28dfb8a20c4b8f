"""Tests of the cards with cells in three dimensions."""
