#!/usr/bin/env bash
# Runs clang-tidy with the checks of .clang-tidy.
#
#   scripts/tidy.sh            on the library's sources that differ from the main branch
#   scripts/tidy.sh --all      on all of the library's sources: a quarter of an hour on two cores
#   scripts/tidy.sh files...   on these
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/install-deps.sh --ci
library='^(array|ops|autograd|nn|optim|data|io)/.*\.cpp$'
if [ "${1:-}" = --all ]; then
  files=$(git ls-files | grep -E "$library")
elif [ $# -gt 0 ]; then
  files=$(printf '%s\n' "$@")
else
  base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main)
  files=$(git diff --name-only --diff-filter=d "$base" | grep -E "$library" || true)
fi
if [ -z "$files" ]; then
  echo "tidy.sh: no source of the library differs from the main branch"
  exit 0
fi
configure release
xargs -n 4 -P "$(nproc)" clang-tidy --quiet -p build/release <<<"$files"
echo "tidy.sh: $(wc -l <<<"$files") files are clean"
