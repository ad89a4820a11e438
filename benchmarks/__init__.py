"""What the box promises about its speed, measured on real parts: `python -m benchmarks.NAME [--json]`."""
