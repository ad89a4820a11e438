#!/usr/bin/env bash
# The whole box on this machine, from nothing: installs it, starts it, and opens the terminal app.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/lib.sh
. deploy/lib.sh

usage() {
    cat <<'TEXT'
Usage: bash deploy/quickstart.sh [--check | --help]

Installs what is missing (Debian packages through apt-get, Python packages into an environment of its own), starts
every part of the box on this machine, creates a demo account and opens the terminal app. Leaving the app stops
everything. A second start keeps the torrents and the account of the first.

  --check   no terminal: start a private copy, download a fresh 64 MiB file from a real peer on this machine,
            fetch it with an interruption, compare SHA-256, make sure a second person sees none of it, stop
            everything. Exit code 0 only if all of it held.

Everything is kept in /var/lib/oci-torrent-proxy (as root) or ~/.local/share/oci-torrent-proxy; PROXY_STATE_DIR
names another place. To listen elsewhere, set WEB_ADDRESS, SFTP_ADDRESS, QBITTORRENT_URL or TORRENT_PORT: see .env.example.
TEXT
}

check=no
case "${1:-}" in
"") ;;
--check) check=yes ;;
-h | --help)
    usage
    exit
    ;;
*)
    usage >&2
    exit 2
    ;;
esac

began=$SECONDS
need_packages python3 python3-venv ca-certificates qbittorrent-nox
packages=$((SECONDS - began))
environment="$(state_dir)/venv"
ready_environment "$environment" requirements.txt
ready_client "$environment"
python="$environment/bin/python"

if [ "$check" = yes ]; then
    exec "$python" -m deploy.check --before "Debian packages=$packages" \
        --before "Python packages=$((SECONDS - began - packages))" --state-dir "$(state_dir)"
fi

DATA_DIR="${DATA_DIR:-$(state_dir)/data}"
export DATA_DIR
mkdir -p "$DATA_DIR"
log="$DATA_DIR/up.log"
# Each start adds to it: a refused second start must not spoil the log of the box that runs.
began_at=$(($(wc -c <"$log" 2>/dev/null || echo 0) + 1))
# The parts are asked to stop even if this script is killed.
setpriv --pdeathsig TERM -- "$python" manage.py up </dev/null >>"$log" 2>&1 &
box=$!
stop() {
    trap '' INT TERM HUP
    if kill -TERM "$box" 2>/dev/null; then
        say "Stopping everything."
        wait "$box" || true
    fi
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say "Starting (the log is $log)"
this_start() { tail -c "+$began_at" "$log"; }
until this_start | grep -q '^Ready at '; do
    if ! kill -0 "$box" 2>/dev/null; then
        this_start | tail -n 15 >&2
        fail "it did not start; the lines above say why"
    fi
    sleep 0.2
done
server=$(this_start | sed -n 's/^Ready at \([^ ]*\).*/\1/p' | head -n 1)

password_file="$DATA_DIR/secrets/demo_password"
if [ ! -s "$password_file" ]; then
    mkdir -p "$DATA_DIR/secrets"
    (umask 077 && "$python" manage.py create_user demo --role user --generate >"$password_file") 2>>"$log" ||
        fail "the demo account could not be created; see $log"
fi
say "The box runs at $server"
say "Demo account: demo, password: $(cat "$password_file")"
say "An admin for $server/admin/: DATA_DIR=$DATA_DIR $python manage.py create_user NAME --role admin"

if [ ! -t 0 ] || [ ! -t 1 ] || [ ! -t 2 ]; then
    say "This is no terminal, so the app is not opened. Ctrl-C stops everything."
    wait "$box"
    exit
fi
client="$environment/bin/torrent-proxy"
TORRENT_PROXY_CONFIG_DIR="$DATA_DIR/demo-client"
export TORRENT_PROXY_CONFIG_DIR
"$client" login --server "$server" --user demo --password-stdin <"$password_file"
"$client"
