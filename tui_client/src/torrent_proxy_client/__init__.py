"""Terminal client for OCI Torrent Proxy: a typed async client library, a command line, and a Textual app."""

__version__ = "0.1.0"
