"""The Textual app. Screens and widgets show; the App owns the session, the polling and the transfers."""
