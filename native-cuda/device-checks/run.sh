#!/bin/bash
# Runs every check that takes a GPU, from what pack.sh made, and writes REPORTS/report.md; exits with 1 when a test fails.
#
#   run.sh REPORTS
#
# Each part has a limit of its own, all together under ten minutes. A part whose tool is missing says so and is no failure.
set -u
[ $# = 1 ] || { echo "usage: run.sh REPORTS" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
reports=$(cd "$1" && pwd)
report=$reports/report.md
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
tar -C "$work" -xJf "$here/checks.tar.xz" || exit 1
export checks=$work/checks
export flags="--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"
flags+=" --add-exports=java.base/jdk.internal.misc=ALL-UNNAMED -Dstator.root=$checks -Dstator.test.cuda=${STATOR_TEST_CUDA-device}"
export classpath
classpath=$(printf '%s:' "$checks"/classes/*)
failed=0

# part TITLE SECONDS COMMAND...: its output, and how it ended, in the report.
part() {
  local title=$1 limit=$2 start=$SECONDS
  shift 2
  printf '\n## %s\n\n```\n' "$title" >>"$report"
  timeout "$limit" bash -c '"$@"' part "$@" >"$work/out" 2>&1
  local end=$?
  tail -n 400 "$work/out" >>"$report"
  printf '```\n\n%s, %s s\n' "$([ $end = 0 ] && echo ok || echo "ended with $end")" $((SECONDS - start)) >>"$report"
  return $end
}

have() { command -v "$1" >/dev/null || { printf '\n%s is not here: %s is left out.\n' "$1" "$2" >>"$report"; return 1; }; }

# shellcheck disable=SC2086 # Flags are words.
java() { "$checks/runtime/bin/java" $flags -cp "$classpath" "$@"; }

stator() { java dev.stator.app.Main "$@"; }

tests() { java dev.stator.device.cuda.DeviceChecks "$@"; }

# sanitized TOOL TEST...
# shellcheck disable=SC2086
sanitized() {
  compute-sanitizer --target-processes all --error-exitcode 9 --tool "$1" "$checks/runtime/bin/java" $flags \
    -cp "$classpath" dev.stator.device.cuda.DeviceChecks "${@:2}"
}

served() {
  stator run in=http out=cuda --port 8491 "$checks/gpu-runtime/models/stator-tiny/stator-tiny-q8_0.gguf" &
  until curl -sf http://127.0.0.1:8491/health >/dev/null; do
    jobs %1 >/dev/null 2>&1 || return 1
    sleep 0.2
  done
  stator bench --url http://127.0.0.1:8491 --requests 200 --concurrency 16
  local end=$?
  kill %1
  wait %1 2>/dev/null
  return $end
}

export -f java stator tests sanitized served

echo "# Device checks, $(date -u +%F)" >"$report"
have nvidia-smi "the GPU's description" && part "The device" 20 nvidia-smi
part "Tests on the device" 150 tests || failed=1
if have compute-sanitizer "the memory checker"; then
  part "memcheck" 60 sanitized memcheck WgmmaTest NormTest ElementwiseTest RotateStoreTest BlocksTest SamplingTest \
    RepackTest EmbedTest ExpertsTest || failed=1
  part "racecheck" 60 sanitized racecheck NormTest SamplingTest BlocksTest ExpertsTest || failed=1
fi
part "Steps beside a copy of device memory, and the price of the same bytes" 130 stator bench kernels --device cuda --type BF16,Q4_K || failed=1
have python3 "PyTorch" && part "PyTorch and transformers on the same device" 100 python3 "$here/peers.py"
part "Through the whole server" 60 served || failed=1
cat "$report"
exit $failed
