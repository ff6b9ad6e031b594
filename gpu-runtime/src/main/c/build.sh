#!/bin/sh
# Builds the native kernels, one library for each instruction set, into the folder $1. Where that cannot be done it says so
# and succeeds: the kernels in Java need none of them. With "emulated" behind the folder it builds the library for AMX alone,
# with its instructions written out, for tests on processors that have none.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
compiler=${CC:-cc}

say() { echo "native kernels: $*"; }

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  say "not built, they are for Linux on x86-64"
  exit 0
fi
if ! command -v "$compiler" >/dev/null; then
  say "not built, there is no C compiler ($compiler); Java's kernels will run"
  exit 0
fi
mkdir -p "$out"

# library NAME FLAGS...: builds unless the library is newer than all sources.
library() {
  name=$1
  shift
  target=$out/libstator-cpu-$name.so
  if [ -f "$target" ] && [ -z "$(find "$here" -newer "$target" -type f)" ]; then return; fi
  work=$(mktemp -d "$out/build.XXXXXX")
  sources="$here/quantize.c $here/pack.c $here/q8_0.c $here/q4_0.c $here/q4_k.c $here/q5_k.c $here/q6_k.c"
  sources="$sources $here/attention_f32.c $here/attention_bf16.c $here/attention_int8.c"
  case $name in
    *bf16) sources="$sources $here/bf16.c $here/bf16_pairs.c" ;;
    amx*) sources="$sources $here/bf16.c $here/bf16_tiles.c" ;;
  esac
  defines=
  case $name in
    amx) defines="-DSTATOR_AVX512 -DSTATOR_AMX" ;;
    avx512* | amx-emulated) defines=-DSTATOR_AVX512 ;;
    avxvnni) defines=-DSTATOR_AVXVNNI ;;
  esac
  case $name in *bf16) defines="$defines -DSTATOR_BF16" ;; esac
  common="-std=gnu11 -O3 -fPIC -Wall -Wextra -Werror -ffp-contract=off -fno-math-errno"
  # shellcheck disable=SC2086
  if "$compiler" $common $defines -c -o "$work/supported.o" "$here/supported.c" 2>"$work/log" &&
    "$compiler" $common "$@" -shared -o "$work/library" $sources "$work/supported.o" 2>>"$work/log"; then
    mv "$work/library" "$target"
    say "built for $name"
  else
    rm -f "$target"
    say "not built for $name: $(head -n 1 "$work/log")"
  fi
  rm -rf "$work"
}

avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c"
if [ "${2-}" = emulated ]; then
  # shellcheck disable=SC2086
  library amx-emulated $avx512 -O1 -DSTATOR_TILES -DSTATOR_TILES_EMULATED
  exit 0
fi
library avx2 -mavx2 -mfma -mf16c &
library avxvnni -mavx2 -mfma -mf16c -mavxvnni &
# shellcheck disable=SC2086
library avx512vnni $avx512 &
# shellcheck disable=SC2086
library avx512bf16 $avx512 -mavx512bf16 &
# shellcheck disable=SC2086
library amx $avx512 -mamx-tile -mamx-int8 -mamx-bf16 -DSTATOR_TILES &
wait
