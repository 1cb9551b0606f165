#!/usr/bin/env bash
# Puts smtp-source and smtp-sink, the yardsticks of make bench, under var/postfix/bin. Postfix itself is never installed
# and never started: the package is only unpacked (issue 2, bench).
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$PWD/var/postfix
[ -x "$folder/bin/smtp-source" ] && [ -x "$folder/bin/smtp-sink" ] && exit 0
deploy/setup/fetch.sh postfix var/postfix
libs=$(find "$folder/root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
mkdir -p "$folder/bin"
for tool in smtp-source smtp-sink; do
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/root/usr/sbin/%s "$@"\n' "'$libs'" "'$folder'" "$tool" >"$folder/bin/$tool"
  chmod 755 "$folder/bin/$tool"
done
