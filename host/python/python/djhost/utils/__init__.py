"""Modules at the places where Data-Juicer has them."""
