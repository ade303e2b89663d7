#!/bin/sh
# `sh launch.sh TOOL [ARGUMENT…]` finds TOOL for this machine and becomes it, so that a cancel reaches the tool itself.
set -eu
tool=${1:?usage: launch.sh TOOL [ARGUMENT...]}
shift
here=$(dirname -- "$0")

fail() {
  echo "::error title=${tool}::$1"
  exit 1
}

system=$(uname -s)
machine=$(uname -m)
case "${system} ${machine}" in
  'Linux x86_64') targets='x86_64-unknown-linux-musl x86_64-unknown-linux-gnu' ;;
  'Linux aarch64' | 'Linux arm64') targets='aarch64-unknown-linux-musl aarch64-unknown-linux-gnu' ;;
  'Darwin x86_64') targets='x86_64-apple-darwin' ;; # never released; a laptop builds it for itself
  'Darwin arm64') targets='aarch64-apple-darwin' ;;
  *) fail "no binary for ${system} on ${machine}: run this step on Linux, x86_64 or arm64" ;;
esac
for target in ${targets}; do
  binary="${here}/${target}/${tool}"
  if [ -x "${binary}" ]; then exec "${binary}" "$@"; fi
  if [ -e "${binary}" ]; then fail "${binary} may not be executed: the copy lost its file modes; run chmod +x on it"; fi
done
fail "no ${tool} for ${system} on ${machine}: use a released version (@v1); in a checkout of main, run: cargo xtask dist ${tool}"
