"""One module a screen; a dialog hands its answer back through `dismiss`."""
