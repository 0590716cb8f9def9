# Sourced by the scripts beside it: where the project lies and how it is built.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
exec </dev/null
# Clones in different places share what ccache holds.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
# Tests precompile their headers, which ccache takes for cacheable when it is told so.
export CCACHE_SLOPPINESS=pch_defines,time_macros

# configure <preset> [cmake arguments]. In CI warnings are errors.
configure() {
  local preset=$1 werror=()
  shift
  if [ "${CI:-}" = true ]; then werror=(-DTAPEDECK_WERROR=ON); fi
  cmake --preset "$preset" "${werror[@]}" "$@" >"$root/build-configure.log" 2>&1 || {
    cat "$root/build-configure.log" >&2
    return 1
  }
  rm -f "$root/build-configure.log"
}

# build <preset> [targets]
build() {
  local preset=$1
  shift
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  cmake --build "$root/build/$preset" --parallel "$(jobs_for_build)" "${targets[@]}"
}

# As many compilers as CPUs, and no more than one for each 1.5 GB of free memory.
jobs_for_build() {
  local cpus memory
  cpus=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo 2>/dev/null || echo "$cpus")
  [ "${memory:-0}" -ge 1 ] || memory=1
  echo $((cpus < memory ? cpus : memory))
}

# libtorch returns large blocks to the system at each step and pays for fresh pages at the next, and
# an OpenBLAS that does not know the CPU takes the slowest of its kernels. With these settings it is
# fastest.
# shellcheck disable=SC2034
at_best=(MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=4000000000)
if grep -q -m 1 avx512f /proc/cpuinfo; then
  at_best+=(OPENBLAS_CORETYPE=SkylakeX)
elif grep -q -m 1 avx2 /proc/cpuinfo; then
  at_best+=(OPENBLAS_CORETYPE=Haswell)
fi
