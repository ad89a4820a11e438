"""Finished files over SFTP and SCP: a server of its own, read-only, that knows no shell and forwards nothing."""
