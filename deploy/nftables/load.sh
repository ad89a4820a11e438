#!/usr/bin/env bash
# The firewall of a server: what qBittorrent's user reaches (contain-torrents.nft), and who reaches this machine
# (open-ports.nft). torrentproxy-firewall.service runs it at every start; running it again changes nothing.
#
#   TORRENT_PORT=51413 SFTP_ADDRESS=0.0.0.0:8022 bash deploy/nftables/load.sh      # as in box.env
#
# Open from outside are SSH's ports, 80 and 443, those of SFTP and of peers, and what /etc/oci-torrent-proxy/open-ports
# names: PORT/tcp or PORT/udp, one a line.
# Where iptables has rules of its own that refuse (Oracle's images end with REJECT, and what is appended after that does
# nothing), the ports are let in before its first refusal, now and in /etc/iptables/rules.v4, from where
# netfilter-persistent loads them.
set -euo pipefail
cd "$(dirname "$0")"

OPERATORS_PORTS=/etc/oci-torrent-proxy/open-ports
RULES=/etc/iptables/rules.v4
MARK=oci-torrent-proxy

# open_ports tcp|udp: one a line, sorted.
open_ports() {
    {
        [ "$1" = udp ] || {
            printf '22\n80\n443\n'
            { sshd -T 2>/dev/null || cat /etc/ssh/sshd_config 2>/dev/null; } | awk 'tolower($1) == "port" { print $2 }'
            case ${SFTP_ADDRESS:-} in
            '' | 127.* | localhost:* | '[::1]'*) ;; # for this machine alone, or none at all
            *) printf '%s\n' "${SFTP_ADDRESS##*:}" ;;
            esac
        }
        printf '%s\n' "${TORRENT_PORT:-51413}"
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

resolvers=$(awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print $2 }' /etc/resolv.conf)
nft -D torrent_user=torrentproxy-bt -D "resolvers=$(printf '%s' "${resolvers:-127.0.0.53}" | as_set)" \
    -f contain-torrents.nft
nft -D "tcp_ports=$(open_ports tcp | as_set)" -D "udp_ports=$(open_ports udp | as_set)" -f open-ports.nft
let_in_past_iptables
