#!/usr/bin/env bash
# Runs every fuzz target of the tree for $FUZZTIME each (go test allows one at a time).
set -euo pipefail
cd "$(dirname "$0")/../.."
time=${FUZZTIME:-30s}
targets=$(grep -rnoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' --exclude-dir=testdata cmd tui engine store feeds 2>/dev/null |
  sed -E 's|/[^/]*:[0-9]+:func | |' | sort -u) || true
[ -n "$targets" ] || { echo "ファズの対象がありません。" >&2; exit 1; }
while read -r folder name; do
  echo "== $folder $name ($time)"
  # Minimizing an interesting input may take a minute by default, during which nothing else is tried.
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1s "./$folder" </dev/null
done <<<"$targets"
