#!/bin/sh
# The root action: checks what it puts on PATH, this machine's binaries, against SHA256SUMS, then does so. A binary that
# SHA256SUMS does not name is an error too. Needs nothing beyond busybox (macOS: its own shasum).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fail() {
  echo "::error title=deploy-actions::$1"
  exit 1
}

system=$(uname -s)
machine=$(uname -m)
case "${system} ${machine}" in
  'Linux x86_64') targets='x86_64-unknown-linux-musl x86_64-unknown-linux-gnu' ;;
  'Linux aarch64' | 'Linux arm64') targets='aarch64-unknown-linux-musl aarch64-unknown-linux-gnu' ;;
  'Darwin x86_64') targets='x86_64-apple-darwin' ;; # never released; a laptop builds it for itself
  'Darwin arm64') targets='aarch64-apple-darwin' ;;
  *) fail "no binaries for ${system} on ${machine}: run this step on Linux, x86_64 or arm64" ;;
esac
bin=''
for target in ${targets}; do
  if [ -d "${root}/dist/${target}" ]; then
    bin="dist/${target}"
    break
  fi
done
[ -n "${bin}" ] || fail "no binaries for ${system} on ${machine}: use a released version (@v1); in a checkout of main, run: cargo xtask dist"
[ -f "${root}/dist/SHA256SUMS" ] || fail "no ${root}/dist/SHA256SUMS, so the binaries can't be checked: use a released version (@v1)"

if command -v sha256sum >/dev/null; then sha256='sha256sum'; else sha256='shasum -a 256'; fi
cd "${root}"
for binary in "${bin}"/*; do
  grep -q "^[0-9a-f]\{64\}  ${binary}\$" dist/SHA256SUMS ||
    fail "${binary} is not in dist/SHA256SUMS: this copy of the action was changed; do not use it"
  [ -x "${binary}" ] || fail "${root}/${binary} may not be executed: the copy lost its file modes; run chmod +x on it"
done
# Word splitting is what makes `shasum -a 256` a command.
# shellcheck disable=SC2086
report=$(grep -F "  ${bin}/" dist/SHA256SUMS | ${sha256} -c - 2>&1) || {
  echo "${report}"
  fail "${bin} does not match dist/SHA256SUMS: this copy of the action is damaged; do not use it"
}

echo "${root}/${bin}" >>"${GITHUB_PATH:?this script runs as a step of a GitHub job}"
echo "bin-dir=${root}/${bin}" >>"${GITHUB_OUTPUT:?this script runs as a step of a GitHub job}"
echo "on PATH, checked by SHA-256: ${root}/${bin}"
