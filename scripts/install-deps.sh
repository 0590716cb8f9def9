#!/usr/bin/env bash
# Installs what building and testing needs, from Debian's (or Ubuntu's) packages. The only place of
# the project that installs anything; returns at once where nothing is missing.
#
#   scripts/install-deps.sh [--ci] [--yardsticks]
#
#   --ci          also clang with its sanitizer runtime, clang-format and clang-tidy
#   --yardsticks  also libtorch and oneDNN, which tests and benchmarks compare with
set -euo pipefail

packages=(
  cmake g++ ninja-build ccache
  libxtensor-dev libxtensor-blas-dev libxsimd-dev xtl-dev
  libopenblas-dev libhwy-dev libpng-dev zlib1g-dev nlohmann-json3-dev libcli11-dev
  libgtest-dev libgmock-dev libbenchmark-dev
)
for argument in "$@"; do
  case "$argument" in
    --ci) packages+=(clang libclang-rt-14-dev clang-format clang-tidy) ;;
    --yardsticks) packages+=(libtorch-dev libdnnl-dev) ;;
    *)
      echo "install-deps.sh: unknown argument '$argument' (known: --ci, --yardsticks)" >&2
      exit 2
      ;;
  esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "install-deps.sh: this system has no apt. Install by hand what these Debian packages hold," \
       "then build with CMake: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps.sh: missing ${missing[*]}; run this script as root (there is no sudo)" >&2
    exit 1
  fi
  run=(sudo)
fi

echo "install-deps.sh: installing ${missing[*]}"
"${run[@]}" apt-get update -q </dev/null
"${run[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null
