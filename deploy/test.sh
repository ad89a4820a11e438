#!/usr/bin/env bash
# Installs what the tests need and runs them all: bash deploy/test.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/lib.sh
. deploy/lib.sh

need_packages python3 python3-venv ca-certificates qbittorrent-nox postgresql tmux caddy openssh-client lftp rclone curl
environment="$(state_dir)/venv-test"
ready_environment "$environment" deploy/requirements-test.txt
exec "$environment/bin/python" -m pytest "$@"
