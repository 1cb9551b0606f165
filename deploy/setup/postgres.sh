#!/usr/bin/env bash
# Makes sure that PostgreSQL's server programs are here: found, else installed by apt-get, else unpacked under var/pg.
# Exit code 69 (EX_UNAVAILABLE) with a sentence when none of these is possible. store/cluster looks in the same places.
set -euo pipefail
cd "$(dirname "$0")/../.."

found() {
  local dir
  if [ -n "${YAGURA_PGBIN:-}" ]; then
    [ -x "$YAGURA_PGBIN/initdb" ] && return 0
    echo "YAGURA_PGBIN=$YAGURA_PGBIN に initdb がありません。" >&2
    exit 69
  fi
  for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin var/pg/root/usr/lib/postgresql/*/bin; do
    [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && return 0
  done
  command -v pg_ctl >/dev/null && return 0
  command -v pg_config >/dev/null && [ -x "$(pg_config --bindir)/initdb" ]
}

install_as_root() { # install_as_root [sudo -n]
  command -v apt-get >/dev/null || return 1
  echo "PostgreSQL を apt-get で入れています(30 秒ほど)" >&2
  # A package must not start a server of its own on port 5432: the project runs a private one.
  "$@" mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' | "$@" tee /etc/postgresql-common/createcluster.d/yagura.conf >/dev/null
  local log
  log=$(mktemp)
  if "$@" env DEBIAN_FRONTEND=noninteractive apt-get -q update >"$log" 2>&1 </dev/null &&
    "$@" env DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install postgresql >>"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
  return 1
}

found && exit 0
if [ "$(id -u)" = 0 ]; then
  install_as_root && found && exit 0
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  install_as_root sudo -n && found && exit 0
fi
deploy/setup/fetch.sh postgresql var/pg && found && exit 0
cat >&2 <<'SAY'
PostgreSQL のサーバーがなく、ここでは入れることもできませんでした。
次のどちらかを行ってから、もう一度実行してください。
  sudo apt-get install --no-install-recommends postgresql
  YAGURA_PGBIN=(initdb と postgres のあるフォルダー) を設定する
SAY
exit 69
