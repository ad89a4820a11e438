#!/usr/bin/env bash
# Style, types and the arrows between rooms: bash deploy/lint.sh. Run deploy/test.sh once before: it installs the tools.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/lib.sh
. deploy/lib.sh

environment="$(state_dir)/venv-test"
ready_environment "$environment" deploy/requirements-test.txt
PATH="$environment/bin:$PATH"
# The type checker's Django plugin loads the settings, which want to name a database; it is never asked anything.
export DATABASE_URL="postgresql://postgres@/postgres?host=/nonexistent" PYTHONPATH=tui_client/src
DATA_DIR=$(mktemp -d)
export DATA_DIR
trap 'rm -rf "$DATA_DIR"' EXIT

failed=0
for check in "ruff check" "ruff format --check" "mypy ." "lint-imports"; do
    say "== $check"
    $check || failed=1
done
exit $failed
