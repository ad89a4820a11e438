#!/usr/bin/env bash
# Takes the box away from a server again: sudo bash deploy/uninstall.sh --help
set -euo pipefail
checkout="$(cd "$(dirname "$0")/.." && pwd)"
cd /
PYTHONPATH="$checkout" exec python3 -B -m deploy.converge.uninstall "$@"
