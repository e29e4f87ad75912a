#!/bin/sh
# run.sh NAME [ARGUMENT...]: runs scripts/NAME.ts with the Node that package.json pins.
# Needs only a system Node (18 or later) with npm: on a fresh clone it installs the rest first.
set -eu
cd "$(dirname "$0")/.."
name=$1
shift

# What is installed is told from a copy of the lock file that was installed last: the time stamps of a checkout
# say nothing about its content.
stamp=node_modules/.installed-lock.json
installed() {
  [ -x node_modules/.bin/node ] || return 1
  cmp -s package-lock.json "$stamp" && return 0
  # npm itself (`npm install`, `npm ci`) was run since: it writes its own record last.
  [ node_modules/.package-lock.json -nt package-lock.json ]
}

if ! installed; then
  if ! command -v npm >/dev/null; then
    echo 'npm is missing: install Node 18 or later, with npm (https://nodejs.org).' >&2
    exit 1
  fi
  echo 'Installing node modules (npm ci) ...' >&2
  if ! npm ci --loglevel=error >&2; then
    echo 'npm ci failed: see above. The registry must be reachable (npm ping), or a mirror set (npm config set registry).' >&2
    exit 1
  fi
  if [ ! -x node_modules/.bin/node ]; then
    echo 'npm did not run the install script of the package "node": run npm install-scripts approve node esbuild.' >&2
    exit 1
  fi
  cp package-lock.json "$stamp"
fi

exec node_modules/.bin/node "scripts/$name.ts" "$@"
