#!/bin/sh
# Installs what the machine lacks, by Debian package, for one purpose:
#   setup.sh run     PostgreSQL server and the CJK font
#   setup.sh test    the same, and Chromium, OpenSSL and Node.js with the pinned npm packages that tests drive
#   setup.sh check   the same, and schemathesis from PyPI
# As root it installs; as another user it names the package to install and stops. Nothing is downloaded into the tree:
# npm and PyPI packages go to $YINXIN_CACHE (default: ~/.cache/yinxin).
set -eu

purpose=${1:?run, test or check}
cache=${YINXIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/yinxin}
missing=""

have_postgres() {
  command -v postgres >/dev/null 2>&1 && return 0
  for d in /usr/lib/postgresql/*/bin; do [ -x "$d/initdb" ] && return 0; done
  return 1
}
need() { # need PACKAGE CHECK...
  package=$1; shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
font() { ls /usr/share/fonts/truetype/lxgw-wenkai/*.ttf; }

command -v go >/dev/null 2>&1 || {
  echo "setup: go is missing; install Go 1.26 or newer (https://go.dev/dl), it builds everything here" >&2; exit 1; }

need postgresql have_postgres
need fonts-lxgw-wenkai font
if [ "$purpose" != run ]; then
  need chromium command -v chromium
  need openssl command -v openssl
  need nodejs command -v node
  need npm command -v npm
  need libxml2-utils command -v xmllint
fi
if [ "$purpose" = check ]; then
  need python3 command -v python3
  need python3-venv python3 -c 'import venv, ensurepip'
fi

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "setup: missing packages:$missing" >&2
    echo "setup: hint: sudo apt-get update && sudo apt-get install -y$missing" >&2
    exit 1
  fi
  echo "setup: installing$missing" >&2
  apt-get update -qq >&2
  # shellcheck disable=SC2086 # a list of packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
fi

npm_package() { # npm_package NAME VERSION: unpacked at $cache/npm/NAME-VERSION, atomically
  dir=$cache/npm/$1-$2
  [ -f "$dir/package/package.json" ] && return 0
  mkdir -p "$cache/npm"
  tmp=$(mktemp -d "$cache/npm/.fetch.XXXXXX")
  (cd "$tmp" && npm pack --loglevel=error "$1@$2" >/dev/null && tar -xzf ./*.tgz) || {
    rm -rf "$tmp"
    echo "setup: $1@$2 could not be fetched; npm's own words stand above" >&2
    echo "setup: hint: the tests need the npm registry once; the package is kept in $cache/npm" >&2
    exit 1
  }
  rm -rf "$dir"; mv "$tmp" "$dir"
}
if [ "$purpose" != run ]; then
  npm_package ofd.js 0.2.6
  npm_package axe-core 4.14.1
fi
if [ "$purpose" = check ] && [ ! -x "$cache/py/bin/schemathesis" ]; then
  rm -rf "$cache/py"
  python3 -m venv "$cache/py"
  "$cache/py/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.32.5' >&2
fi
