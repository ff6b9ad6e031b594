#!/bin/sh
# Builds the CUDA kernels into the folder $2: "fatbin" for devices, by nvcc; "emulated" for tests on machines without one, by
# g++, with objects in the folder $3. Every *.cu here belongs to both. A compiler that is missing is said, and is no failure; NVCC=none or CXX=none leaves
# one out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$2
objects=${3-}
nvcc=${NVCC:-nvcc}
cxx=${CXX:-g++}

say() { echo "CUDA kernels: $*"; }

# newer FILE DEPTH: no source is newer than it, of those at most DEPTH folders down.
newer() { [ -f "$1" ] && [ -z "$(find "$here" -maxdepth "$2" -newer "$1")" ]; }

# One translation unit, because a fatbin is one module; each file in a namespace of its own, so that names do not collide.
umbrella() {
  echo '#include "stator.h"'
  for header in "$here"/*.h; do echo "#include \"$(basename "$header")\""; done
  for source in "$here"/*.cu; do
    unit=$(basename "$source" .cu)
    printf 'namespace %s_unit {\n#include "%s.cu"\n}\n' "$unit" "$unit"
  done
}

fatbin() {
  target=$out/stator.fatbin
  if newer "$target" 1; then return; fi
  rm -f "$target"
  if ! command -v "$nvcc" >/dev/null; then
    say "no fatbin, there is no $nvcc; the CPU device will run"
    return
  fi
  mkdir -p "$out"
  work=$(mktemp -d "$out/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  umbrella >"$work/stator.cu"
  # Numbers follow from the source alone: no contraction that is not written, no flush to zero, exact division.
  "$nvcc" -std=c++17 -O3 -Werror all-warnings -fmad=false -ftz=false -prec-div=true -prec-sqrt=true -I "$here" \
    -gencode 'arch=compute_80,code=[sm_80,sm_89,compute_80]' \
    -gencode arch=compute_90a,code=sm_90a -t 2 -fatbin -o "$work/fatbin" "$work/stator.cu"
  mv "$work/fatbin" "$target"
  say "built stator.fatbin for sm_80, sm_89, sm_90a and, as PTX, newer ones"
}

# object SOURCE: compiles it into the folder $out, unless its object is newer than it and all headers.
object() {
  target=$out/$(basename "$1").o
  if [ -f "$target" ] && [ "$target" -nt "$1" ] && [ "$target" -nt "$here/build.sh" ] &&
    [ -z "$(find "$here" -name '*.h' -newer "$target")" ]; then return; fi
  flags="-std=c++17 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Werror -ffp-contract=off -fno-math-errno"
  if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then flags="$flags -mavx2 -mfma"; fi
  case $1 in
    *.cu)
      flags="$flags -x c++ -DSTATOR_HOST -fno-strict-aliasing -Wno-unknown-pragmas"
      # Their calls lead to host/faults.cpp and host/watch.cpp.
      flags="$flags -fsanitize=alignment,bounds,integer-divide-by-zero -fno-sanitize-recover=all"
      flags="$flags -fsanitize=thread --param tsan-instrument-func-entry-exit=0"
      ;;
  esac
  rm -f "$target"
  # shellcheck disable=SC2086
  "$cxx" $flags -c -o "$target.part" "$1"
  mv "$target.part" "$target"
}

emulated() {
  target=$out/libstator-cuda-emulated.so
  if newer "$target" 2; then return; fi
  rm -f "$target"
  if [ "$(uname -s)" != Linux ] || ! command -v "$cxx" >/dev/null; then
    say "not emulated, that takes Linux and a C++ compiler ($cxx); their tests will be skipped"
    return
  fi
  mkdir -p "$out" "$objects"
  printf '%s\n' "$here"/*.cu "$here"/host/*.cu "$here"/host/*.cpp | xargs -P 2 -n 1 "$here/build.sh" object "$objects"
  # Never unloaded: threads of its own run in it.
  # shellcheck disable=SC2046
  "$cxx" -shared -Wl,-z,defs,-z,nodelete -o "$target.part" $(for source in "$here"/*.cu "$here"/host/*.cu "$here"/host/*.cpp; do
    echo "$objects/$(basename "$source").o"
  done) -pthread -lm
  mv "$target.part" "$target"
  say "built their emulation for tests"
}

case $1 in
  fatbin) fatbin ;;
  emulated) emulated ;;
  object) object "$3" ;;
  *)
    say "expected fatbin or emulated, got $1"
    exit 1
    ;;
esac
