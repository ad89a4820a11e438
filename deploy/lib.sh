# Shared by the scripts of this folder: sourced, never run.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
fail() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

# Where environments and data live. Not under root's home: PostgreSQL from the wheel opens every parent directory
# of its program and of its data to all users.
state_dir() {
    if [ -n "${PROXY_STATE_DIR:-}" ]; then
        printf '%s' "$PROXY_STATE_DIR"
    elif [ "$(id -u)" = 0 ]; then
        printf '/var/lib/oci-torrent-proxy'
    else
        printf '%s/oci-torrent-proxy' "${XDG_DATA_HOME:-$HOME/.local/share}"
    fi
}

# need_packages NAME...: install the Debian packages that are missing; says what it does and why it cannot.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    command -v apt-get >/dev/null || fail "this machine has no apt-get; install by hand: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run as root once, or: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing ${missing[*]}"
    local options=(-qq -o DPkg::Lock::Timeout=300)
    "${as_root[@]}" apt-get "${options[@]}" update >/dev/null ||
        fail "apt-get update failed; its messages are above"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y --no-install-recommends \
        "${missing[@]}" </dev/null >/dev/null || fail "apt-get could not install: ${missing[*]}"
}

# python_command: prints a Python of 3.11 or newer that can make environments.
python_command() {
    local candidate
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; $(python3 --version 2>&1) is what there is"
}

# ready_environment DIRECTORY REQUIREMENTS: a virtual environment with just these, made again when the requirements or
# the Python changed.
ready_environment() {
    local directory=$1 requirements=$2 python stamp
    python=$(python_command)
    stamp=$("$python" --version && cat "$requirements")
    if [ -x "$directory/bin/python" ] && [ "$(cat "$directory/stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    say "Installing Python packages into $directory (a minute or two, once)"
    mkdir -p "$(dirname "$directory")"
    "$python" -m venv --clear "$directory"
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" ||
        fail "pip could not install what $requirements names; its messages are above"
    printf '%s\n' "$stamp" >"$directory/stamp"
}

# ready_client DIRECTORY: the client of this checkout in that environment, installed again when it changed.
ready_client() {
    local directory=$1 stamp
    stamp=$(find tui_client/pyproject.toml tui_client/src -type f -not -path '*/__pycache__/*' \
        -not -path '*.egg-info/*' -print0 | sort -z | xargs -0 sha256sum)
    [ "$(cat "$directory/client-stamp" 2>/dev/null)" = "$stamp" ] && return
    say "Installing the client"
    "$directory/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade ./tui_client ||
        fail "pip could not install the client; its messages are above"
    printf '%s\n' "$stamp" >"$directory/client-stamp"
}
