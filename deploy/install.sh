#!/usr/bin/env bash
# Makes a server into a box, and upgrades it: sudo bash deploy/install.sh --help
set -euo pipefail
checkout="$(cd "$(dirname "$0")/.." && pwd)"

new_enough() { python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if ! new_enough; then
    case " $* " in
    *" --dry-run "*)
        echo "Error: this machine has no Python 3.11 or newer yet: apt-get install python3, then try again." >&2
        exit 1
        ;;
    esac
    if [ "$(id -u)" != 0 ]; then
        echo "Error: this changes the machine: run it as root (sudo bash deploy/install.sh …)." >&2
        exit 2
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update && apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends python3 >/dev/null
    if ! new_enough; then
        echo "Error: Python 3.11 or newer is needed: Ubuntu 24.04, Debian 12 or Debian 13." >&2
        exit 1
    fi
fi
# -P: what lies in the directory that the operator happens to be in is none of its code.
PYTHONPATH="$checkout" exec python3 -P -B -m deploy.converge "$@"
