#!/usr/bin/env bash
# fetch.sh PACKAGE FOLDER: unpacks a Debian package, with whatever it needs that this machine lacks, into FOLDER/root.
# Needs no root rights and installs nothing: no service, no user, no file outside FOLDER.
set -euo pipefail
package=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  echo "このマシンには apt-get がないため、$package を取得できません。" >&2
  exit 69 # EX_UNAVAILABLE
fi

# Package lists of our own: an ordinary user may not refresh the machine's, and a fresh machine has none.
mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
apt=(-q -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt" -o Debug::NoLocking=1 -o APT::Sandbox::User=)
give_up() {
  echo "$package を取得できません: $1" >&2
  tail -n 5 "$folder/apt/log" >&2
  exit 69
}
echo "$package を取得しています(管理者の権限は使いません)" >&2
apt-get "${apt[@]}" update >"$folder/apt/log" 2>&1 || give_up "パッケージの一覧が読めません"
wanted=$(apt-get "${apt[@]}" --simulate --no-install-recommends install "$package" 2>>"$folder/apt/log" | awk '/^Inst / {print $2}') ||
  give_up "依存するパッケージが決まりません"
[ -n "$wanted" ] || wanted=$package
rm -rf "$folder/apt/deb" "$folder/root.new"
mkdir -p "$folder/apt/deb" "$folder/root.new"
# shellcheck disable=SC2086 # one word a package
(cd "$folder/apt/deb" && apt-get "${apt[@]}" download $wanted) >>"$folder/apt/log" 2>&1 || give_up "ダウンロードできません"
for deb in "$folder"/apt/deb/*.deb; do
  dpkg -x "$deb" "$folder/root.new"
done
rm -rf "$folder/root" "$folder/apt"
mv "$folder/root.new" "$folder/root" # last, so that an interrupted run leaves nothing that looks complete
