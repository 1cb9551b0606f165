#!/usr/bin/env bash
# Says clearly that Go is missing or too old, before a build says it unclearly.
set -euo pipefail
cd "$(dirname "$0")/../.."
need=$(awk '$1 == "go" {print $2}' go.mod)
if ! command -v go >/dev/null; then
  echo "Go $need が見つかりません。Go を入れ、go が PATH にある状態でもう一度実行してください。" >&2
  exit 69
fi
if ! go version >/dev/null 2>&1; then
  echo "Go $need が使えません: $(go version 2>&1 | tail -n 1)" >&2
  exit 69
fi
