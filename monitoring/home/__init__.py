"""The first page of the admin's pages: how the box is, in words and numbers, from the same rows as /metrics."""
