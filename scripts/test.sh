#!/usr/bin/env bash
# Installs what is missing, builds the library and all tests, and runs them.
#
#   scripts/test.sh [arguments for ctest]      e.g. scripts/test.sh -R conv
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

scripts/install-deps.sh
configure release
build release
ctest --test-dir build/release --output-on-failure --parallel "$(nproc)" "$@"
