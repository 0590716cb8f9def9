#!/usr/bin/env bash
# Formats the C++ sources with clang-format.
#
#   scripts/format.sh            rewrites the files
#   scripts/format.sh --check    changes nothing; fails and names the lines where something would
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if ! command -v clang-format >/dev/null; then
  echo "format.sh: clang-format is missing (scripts/install-deps.sh --ci installs it)" >&2
  exit 1
fi
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run --Werror); fi
git ls-files -z '*.cpp' '*.h' | xargs -0 -r -n 20 -P "$(nproc)" clang-format "${mode[@]}"
