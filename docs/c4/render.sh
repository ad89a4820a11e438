#!/usr/bin/env bash
# Draws every .puml of this folder as .svg: bash docs/c4/render.sh. Needs Debian's plantuml. The hash of what was drawn
# stands at the end of each drawing, so that a test can tell whether it is of today's source.
set -euo pipefail
cd "$(dirname "$0")"
for source in *.puml; do
    drawing=${source%.puml}.svg
    plantuml -tsvg -charset UTF-8 -nometadata -pipe <"$source" >"$drawing.new"
    printf '\n<!-- %s -->\n' "$(cat style.iuml "$source" | sha256sum | cut -d ' ' -f 1)" >>"$drawing.new"
    mv "$drawing.new" "$drawing"
    echo "$drawing"
done
