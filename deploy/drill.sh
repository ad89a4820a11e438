#!/usr/bin/env bash
# What takes a whole machine: bash deploy/drill.sh [pytest arguments, such as tests/machine/drill_install.py]
# Boots a Debian of its own in a container, as root; changes nothing of this machine. docs/testing.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/lib.sh
. deploy/lib.sh

[ "$(id -u)" = 0 ] || fail "only root can boot a machine"
need_packages python3 python3-venv ca-certificates debootstrap systemd-container iproute2 util-linux git
environment="$(state_dir)/venv-test"
ready_environment "$environment" deploy/requirements-test.txt
drills=()
for argument in "$@"; do
    [[ $argument == *drill_*.py* ]] && drills=(named)
done
[ ${#drills[@]} != 0 ] || set -- tests/machine/drill_*.py "$@"
exec "$environment/bin/python" -m pytest "$@"
