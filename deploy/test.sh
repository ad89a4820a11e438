#!/usr/bin/env bash
# Installs what the tests need and runs them all: bash deploy/test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/lib.sh
. deploy/lib.sh

need_packages python3 python3-venv ca-certificates qbittorrent-nox postgresql tmux caddy openssh-client lftp rclone \
    nftables iproute2 curl age openssl systemd prometheus prometheus-alertmanager prometheus-blackbox-exporter \
    prometheus-node-exporter prometheus-postgres-exporter
environment="$(state_dir)/venv-test"
ready_environment "$environment" deploy/requirements-test.txt
# Tests that need these are skipped, and say so, where they cannot be had.
for version in 5.1 5.3; do
    bash deploy/engines.sh "$version" >/dev/null || say "The tests go on without qBittorrent $version."
done
(need_packages chromium chromium-driver) || say "The tests go on without a browser." # Ubuntu has none as a package
exec "$environment/bin/python" -m pytest "$@"
