"""Backups of the box: the database and the configuration as one encrypted archive, and having them back."""
