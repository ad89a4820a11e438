#!/usr/bin/env bash
# Oracle often has no free machine: "Out of host capacity". This asks again, in each availability domain in turn, until
# there is one: bash until-capacity.sh [arguments for apply]. Ends with 0 when all is made, with 1 at any other error.
#   ATTEMPTS=2000  how often to ask in all        PAUSE=180  seconds between two, and up to a third more at random
#   DOMAINS=3      availability domains (1 to 3)  TOFU=tofu  or terraform
set -euo pipefail
cd "$(dirname "$0")"
attempts=${ATTEMPTS:-2000} pause=${PAUSE:-180} domains=${DOMAINS:-3}
tofu=${TOFU:-$(command -v tofu || command -v terraform || true)}
[ -n "$tofu" ] || { echo "Install OpenTofu (or Terraform) first, or name it by TOFU=" >&2; exit 1; }
output=$(mktemp)
trap 'rm -f "$output"' EXIT

for ((attempt = 1; attempt <= attempts; attempt++)); do
    domain=$(((attempt - 1) % domains + 1))
    echo "$(date '+%F %T') attempt $attempt of $attempts, availability domain $domain"
    if "$tofu" apply -auto-approve -input=false -var "availability_domain=$domain" "$@" 2>&1 | tee "$output"; then
        exit 0
    fi
    # Oracle also limits how often one may ask.
    grep -Eq 'Out of (host )?capacity|TooManyRequests|429' "$output" ||
        { echo "This is no lack of capacity: asking again would not help." >&2; exit 1; }
    [ "$attempt" -eq "$attempts" ] || sleep $((pause + RANDOM % (pause / 3 + 1)))
done
echo "No machine after $attempts attempts. docs/oci.md names other ways." >&2
exit 1
