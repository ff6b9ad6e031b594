#!/bin/sh
# Packs what run.sh needs into one archive, for a machine with a GPU that has neither Java nor Maven nor a network: a Java
# runtime, the distribution's classes, the tests. After `mvn -DskipTests package`:
#
#   native-cuda/device-checks/pack.sh FOLDER
#
# makes FOLDER/checks.tar.xz and FOLDER/run.sh; there, FOLDER/run.sh REPORTS checks everything within ten minutes.
set -eu
[ $# = 1 ] || { echo "usage: pack.sh FOLDER" >&2; exit 1; }
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
java=${JAVA_HOME:-$(ls -d /usr/lib/jvm/*25* | head -n 1)}
lib=$(ls -d "$root"/cluster-app/target/stator-*/stator-*/lib | head -n 1)
[ -f "$root/native-cuda/target/classes/dev/stator/device/cuda/stator.fatbin" ] ||
  { echo "pack.sh: there is no fatbin; build where nvcc is" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$java/bin/jlink" --add-modules java.se,jdk.incubator.vector,jdk.management,jdk.unsupported,jdk.zipfs,jdk.crypto.ec \
  --strip-debug --no-header-files --no-man-pages --compress zip-0 --output "$work/checks/runtime" 2>/dev/null
# In one run with the modules' own jars: dependencies among modules are found nowhere else.
JAVA_HOME=$java mvn -q -B -f "$root/pom.xml" -pl gpu-runtime -am -DskipTests -Dexec.skip -Dcheckstyle.skip package \
  dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$work/tests" \
  -DincludeGroupIds=org.junit.jupiter,org.junit.platform,org.opentest4j,org.apiguardian
# Classes out of their jars pack half as large.
for jar in "$lib"/*.jar "$work"/tests/*.jar; do
  name=$(basename "$jar" .jar)
  mkdir -p "$work/checks/classes/$name"
  (cd "$work/checks/classes/$name" && "$java/bin/jar" xf "$jar")
done
cp -r "$root/gpu-runtime/target/test-classes" "$work/checks/classes/tests"
cp -r "$root/native-cuda/target/test-classes" "$work/checks/classes/emulated"
# Of the other modules' tests, those that take a GPU.
for class in actors/target/test-classes/dev/stator/worker/GpuBlocksTest.class \
  actors/target/test-classes/dev/stator/worker/ReceivingGpu.class \
  aeron-transport/target/test-classes/dev/stator/transport/DeviceBackends.class \
  aeron-transport/target/test-classes/dev/stator/transport/SharedBackends.class; do
  folder=$work/checks/classes/tests/$(dirname "${class#*/test-classes/}")
  mkdir -p "$folder"
  cp "$root/$class" "$folder/"
done
mkdir -p "$work/checks/gpu-runtime/models"
cp -r "$root/gpu-runtime/models/stator-tiny" "$work/checks/gpu-runtime/models/"
XZ_OPT=-6 tar -C "$work" -cJf "$out/checks.tar.xz" checks
cp "$root/native-cuda/device-checks/run.sh" "$root/native-cuda/device-checks/peers.py" "$out/"
ls -l "$out"
