"""Makes a Debian or Ubuntu server into a box, again and again: `deploy/install.sh` starts it.

Only the standard library: it has to run before anything is installed, and `--dry-run` may install nothing.
"""
