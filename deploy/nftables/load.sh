#!/usr/bin/env bash
# The firewall of a server: what qBittorrent's user reaches (contain-torrents.nft), and who reaches this machine
# (open-ports.nft). torrentproxy-firewall.service runs it at every start; running it again changes nothing.
#
#   TORRENT_PORT=51413 SFTP_ADDRESS=0.0.0.0:8022 bash deploy/nftables/load.sh      # without them: as in box.env
#
# It runs as root, so of box.env it takes these two and nothing else: a variable such as LD_PRELOAD would be code.
# Open from outside are SSH's ports, 80 and 443, those of SFTP and of peers, and what /etc/oci-torrent-proxy/open-ports
# names: PORT/tcp or PORT/udp, one a line.
# Where iptables has rules of its own that refuse (Oracle's images end with REJECT, and what is appended after that does
# nothing), the ports are let in before its first refusal, now and in /etc/iptables/rules.v4, from where
# netfilter-persistent loads them.
set -euo pipefail
cd "$(dirname "$0")"

SETTINGS=${BOX_ENV:-/etc/oci-torrent-proxy/box.env}
OPERATORS_PORTS=/etc/oci-torrent-proxy/open-ports
RULES=/etc/iptables/rules.v4
MARK=oci-torrent-proxy

# setting NAME DEFAULT: of the environment, of box.env, or that.
setting() {
    local value=${!1:-}
    [ -n "$value" ] || value=$(sed -n "s/^[[:space:]]*$1[[:space:]]*=//p" "$SETTINGS" 2>/dev/null | tail -n 1 | tr -d "\"' \t")
    printf '%s' "${value:-$2}"
}

# port_of NAME VALUE: what comes after the last colon, if it is a port.
port_of() {
    local port=${2##*:}
    if ! [[ $port =~ ^[0-9]{1,5}$ ]]; then
        echo "Error: $1 has no port: $2. Correct it in $SETTINGS, then systemctl restart torrentproxy-firewall." >&2
        exit 1
    fi
    printf '%s' "$port"
}

# open_ports tcp|udp: one a line, sorted.
open_ports() {
    {
        [ "$1" = udp ] || {
            printf '22\n80\n443\n'
            { sshd -T 2>/dev/null || cat /etc/ssh/sshd_config 2>/dev/null; } | awk 'tolower($1) == "port" { print $2 }'
            [ -z "$sftp_port" ] || printf '%s\n' "$sftp_port"
        }
        printf '%s\n' "$torrent_port"
        sed -n "s:^\([0-9]\+\)/$1\$:\1:p" "$OPERATORS_PORTS" 2>/dev/null || true
    } | sort -nu
}

as_set() { printf '{ %s }' "$(paste -sd,)"; }

# What iptables has to let in, as arguments of -A.
iptables_rules() {
    local port
    for port in $(open_ports tcp); do
        printf -- 'INPUT -p tcp -m state --state NEW -m tcp --dport %s -m comment --comment %s -j ACCEPT\n' "$port" $MARK
    done
    for port in $(open_ports udp); do
        printf -- 'INPUT -p udp -m udp --dport %s -m comment --comment %s -j ACCEPT\n' "$port" $MARK
    done
}

# Those rules in place of ours that are there, before the first that refuses: from rules to rules.
with_ours() {
    { grep -v -e "--comment \"\?$MARK\"\? " || true; } |
        awk -v ours="$(iptables_rules | sed 's/^/-A /')" \
            '!done && /^-A INPUT .*-j (REJECT|DROP)/ { print ours; done = 1 } { print }'
}

let_in_past_iptables() {
    command -v iptables >/dev/null || return 0
    local rule position draft
    if [ -f "$RULES" ]; then
        draft=$(mktemp "$RULES.XXXXXX")
        with_ours <"$RULES" >"$draft"
        chmod --reference="$RULES" "$draft"
        if cmp -s "$draft" "$RULES"; then rm "$draft"; else mv "$draft" "$RULES"; fi
    fi
    [ "$(iptables -S INPUT)" != "$(iptables -S INPUT | with_ours)" ] || return 0
    iptables -S INPUT | { grep -e "--comment \"\?$MARK\"\? " || true; } | while read -r _ rule; do
        # shellcheck disable=SC2086 # they are words
        iptables -D $rule
    done
    position=$(iptables -S INPUT | grep '^-A' | grep -n -m 1 -e '-j REJECT' -e '-j DROP' | cut -d: -f1)
    iptables_rules | tac | while read -r _ rule; do
        # shellcheck disable=SC2086
        iptables -I INPUT "$position" $rule
    done
}

torrent_port=$(port_of TORRENT_PORT "$(setting TORRENT_PORT 51413)")
sftp_address=$(setting SFTP_ADDRESS '')
case $sftp_address in
'' | 127.* | localhost:* | '[::1]'*) sftp_port='' ;; # for this machine alone, or none at all
*) sftp_port=$(port_of SFTP_ADDRESS "$sftp_address") ;;
esac
resolvers=$(awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print $2 }' /etc/resolv.conf)
nft -D torrent_user=torrentproxy-bt -D "resolvers=$(printf '%s' "${resolvers:-127.0.0.53}" | as_set)" \
    -f contain-torrents.nft
nft -D "tcp_ports=$(open_ports tcp | as_set)" -D "udp_ports=$(open_ports udp | as_set)" -f open-ports.nft
let_in_past_iptables
