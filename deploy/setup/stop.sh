#!/usr/bin/env bash
# Stops every private PostgreSQL of this checkout (demo and tests) and waits until it is gone. Nothing else is touched:
# a process counts only when it is a postgres that was started on this very data folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
for home in "$PWD"/var/*/ "$PWD"/var/demo/pg/; do
  home=${home%/}
  # store/cluster notes here where a cluster lives whose user could not enter this folder.
  [ ! -r "$home/location" ] || home=$(cat "$home/location")
  pid=$(head -n 1 "$home/data/postmaster.pid" 2>/dev/null) || continue
  command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
  case "$command" in
    */postgres\ *"$home/data "*) ;;
    *) continue ;;
  esac
  if ! kill -INT "$pid" 2>/dev/null; then # SIGINT: PostgreSQL's fast shutdown
    echo "データベース(プロセス $pid)を止められません。起動した利用者で実行してください。" >&2
    status=1
    continue
  fi
  for _ in $(seq 300); do
    [ -e "/proc/$pid" ] || break
    sleep 0.1
  done
  if [ -e "/proc/$pid" ]; then
    echo "データベース(プロセス $pid)がまだ止まっていません。" >&2
    status=1
  else
    echo "データベースを止めました: $home"
  fi
done
exit $status
