#!/bin/sh
# Builds checksums and copies in C, one library for each width of vectors, into the folder $1. Where that cannot be done it
# says so and succeeds: Java does the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
compiler=${CC:-cc}

say() { echo "native copies: $*"; }

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  say "not built, they are for Linux on x86-64"
  exit 0
fi
if ! command -v "$compiler" >/dev/null; then
  say "not built, there is no C compiler ($compiler); Java copies"
  exit 0
fi
mkdir -p "$out"

# library NAME FLAGS...: builds unless the library is newer than all sources.
library() {
  name=$1
  shift
  target=$out/libstator-copy-$name.so
  if [ -f "$target" ] && [ -z "$(find "$here" -newer "$target" -type f)" ]; then return; fi
  work=$(mktemp -d "$out/build.XXXXXX")
  common="-std=c11 -O3 -fPIC -Wall -Wextra -Werror -DSTATOR_$(echo "$name" | tr a-z A-Z)"
  # shellcheck disable=SC2086
  if "$compiler" $common -c -o "$work/supported.o" "$here/supported.c" 2>"$work/log" &&
    "$compiler" $common "$@" -shared -o "$work/library" "$here/crc32c.c" "$work/supported.o" 2>>"$work/log"; then
    mv "$work/library" "$target"
    say "built for $name"
  else
    rm -f "$target"
    say "not built for $name: $(head -n 1 "$work/log")"
  fi
  rm -rf "$work"
}

library avx512 -mavx512f -mvpclmulqdq -mpclmul -msse4.2
library avx2 -mavx2 -mvpclmulqdq -mpclmul -msse4.2
