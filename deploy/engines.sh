#!/usr/bin/env bash
# Other versions of qBittorrent than this machine's own, for tests.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/lib.sh
. deploy/lib.sh

usage() {
    cat <<'TEXT'
Usage: bash deploy/engines.sh [--cached] VERSION

Prints the path of a program that is qBittorrent VERSION (5.1 or 5.3) and can be given as QBITTORRENT_BINARY:

    QBITTORRENT_BINARY="$(bash deploy/engines.sh 5.3)" bash deploy/test.sh -m engine

The first time it fetches Debian's packages of it and of all libraries that it needs (about 45 MB) from the Debian
mirror that apt is configured with here, or from DEBIAN_MIRROR, and unpacks them into a directory of their own: nothing
is installed and root is not needed. After that it only prints.

  --cached   fetch nothing: fail where it has not been fetched before
TEXT
}

# Of which releases of Debian a version is. Of the first come the libraries too.
suites_of() {
    case "$1" in
    5.1) printf 'trixie' ;;
    5.3) printf 'trixie trixie-backports' ;;
    *) return 1 ;;
    esac
}

debian_mirror() {
    local mirror=${DEBIAN_MIRROR:-}
    [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)' \
        'Created-By: Packages' | awk '$1 == "Debian" && $3 !~ /-security$/ { print $4; exit }')
    [ -n "$mirror" ] || fail "apt has no Debian mirror here; name one with DEBIAN_MIRROR"
    printf '%s' "$mirror"
}

# fetch VERSION DIRECTORY: the packages, in DIRECTORY/apt/archives. apt is told of an empty machine, so it takes them all.
fetch() {
    local version=$1 apt="$2/apt" suites suite mirror
    suites=$(suites_of "$version")
    mirror=$(debian_mirror)
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    : >"$apt/status"
    for suite in $suites; do
        printf 'deb [signed-by=%s] %s %s main\n' /usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$suite"
    done >"$apt/sources.list"
    local options=(-qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o APT::Sandbox::User=
        -o "Dir::State::status=$apt/status" -o "Dir::State::lists=$apt/lists" -o "Dir::Cache::archives=$apt/archives"
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o "Dir::Etc::sourcelist=$apt/sources.list"
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null)
    apt-get "${options[@]}" -o APT::Update::Error-Mode=any update >&2 ||
        fail "Debian's list of packages cannot be fetched from $mirror; apt's messages are above"
    apt-get "${options[@]}" install -y --download-only --no-install-recommends "qbittorrent-nox=$version.*" >&2 ||
        fail "qBittorrent $version cannot be fetched from $mirror ($suites); apt's messages are above"
}

# write_program DIRECTORY: a program that runs with the libraries fetched, C library included, and on this machine's files.
write_program() {
    local loader libraries
    loader=$(cd "$1" && find root/usr -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(cd "$1" && dirname "$(find root/usr -name libQt6Core.so.6)")
    cat >"$1/qbittorrent-nox" <<TEXT
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
export QT_PLUGIN_PATH="\$here/$libraries/qt6/plugins"
exec "\$here/$loader" --inhibit-cache --library-path "\$here/$libraries:\$here/$libraries/libproxy" \\
    "\$here/root/usr/bin/qbittorrent-nox" "\$@"
TEXT
    chmod 755 "$1/qbittorrent-nox"
}

cached=no
if [ "${1:-}" = --cached ]; then
    cached=yes
    shift
fi
case "${1:-}" in
-h | --help)
    usage
    exit
    ;;
esac
if [ $# != 1 ] || ! suites_of "$1" >/dev/null; then
    usage >&2
    exit 2
fi
version=$1
engines="$(state_dir)/engines"
program="$engines/$version/qbittorrent-nox"
if [ ! -x "$program" ]; then
    [ $cached = no ] || fail "qBittorrent $version has not been fetched; bash deploy/engines.sh $version does that"
    command -v apt-get >/dev/null || fail "this machine has no apt-get"
    mkdir -p "$engines"
    exec 9>"$engines/lock"
    flock 9
fi
if [ ! -x "$program" ]; then
    draft=$(mktemp -d "$engines/$version.XXXXXX")
    trap 'rm -rf "$draft"' EXIT
    say "Fetching qBittorrent $version" >&2
    fetch "$version" "$draft"
    for package in "$draft"/apt/archives/*.deb; do
        dpkg -x "$package" "$draft/root"
    done
    rm -r "$draft/apt"
    write_program "$draft"
    "$draft/qbittorrent-nox" --version | grep -q "v$version\." || fail "what was fetched is no qBittorrent $version"
    chmod 755 "$draft"
    rm -rf "${engines:?}/$version"
    mv "$draft" "$engines/$version"
fi
printf '%s\n' "$program"
