#!/usr/bin/env bash
# Fetches the box's code and installs it. Started at each boot and after each failure until it once succeeded:
# torrentproxy-first-boot.service. Every step may have been done already, wholly or by half.
set -euo pipefail
asked=${FIRST_BOOT_CONFIGURATION:-/etc/torrentproxy-first-boot}
state=${STATE_DIRECTORY:-/var/lib/torrentproxy-first-boot}
log=${FIRST_BOOT_LOG:-/root/torrentproxy-install.log}

REPOSITORY=$(sed -n 's/^REPOSITORY=//p' "$asked/source")
REF=$(sed -n 's/^REF=//p' "$asked/source")
mapfile -t arguments <"$asked/arguments"

if ! command -v git >/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends git ca-certificates
fi
if [ ! -d "$state/source/.git" ]; then
    rm -rf "$state/source"
    git init --quiet "$state/source"
fi
git -C "$state/source" fetch --quiet --depth 1 --force "$REPOSITORY" "$REF"
git -C "$state/source" checkout --quiet --force --detach FETCH_HEAD

# Not into the journal, which more people read: it names the first password and the key of the backups.
touch "$log"
chmod 600 "$log"
bash "$state/source/deploy/install.sh" "${arguments[@]}" </dev/null >>"$log" 2>&1
touch "$state/done"
