#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Downloads the jars of jars.lock to a folder as ARTIFACT.jar, from Maven. Keeps files that have the right checksum.
#
#   tests/android/jars.sh FOLDER
set -euo pipefail
mkdir -p "$1"
folder=$(cd "$1" && pwd)
cd "$(dirname "$0")"

is_right() { echo "$2  $folder/$1.jar" | sha256sum --check --status 2>/dev/null; }

exec 9> "$folder/flock"
flock 9
while read -r coordinates sum; do
  case $coordinates in '#'*) continue ;; esac
  IFS=: read -r group artifact version <<< "$coordinates"
  is_right "$artifact" "$sum" && continue
  mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:2.8:get -Dtransitive=false "-Dartifact=$coordinates" \
    "-Dmaven.repo.local=$folder/repository" < /dev/null >&2
  mv "$folder/repository/${group//.//}/$artifact/$version/$artifact-$version.jar" "$folder/$artifact.jar"
  is_right "$artifact" "$sum" || { echo "jars.sh: $coordinates is not the file that jars.lock names" >&2; exit 1; }
done < jars.lock
