#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests toolchains/dependencies.sh without a network: curl copies $UPSTREAM and apt-helper copies $DEBIAN.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly shared=${VITRINE_DEPS_DIR:-$PWD/.deps}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/bin"
cat > "$work/bin/curl" <<'END'
#!/bin/sh
echo "curl $*" >> "$CALLS"
while [ "$1" != -o ]; do shift; done
cp "$UPSTREAM" "$2"
END
cat > "$work/bin/apt-helper" <<'END'
#!/bin/sh
echo "apt-helper $*" >> "$CALLS"
while [ "$1" != download-file ]; do shift; done
cp "$DEBIAN/$(basename "$2")" "$3"
END
cat > "$work/bin/apt-get" <<'END'
#!/bin/sh
. /etc/os-release
echo "'http://mirror.example/debian/dists/${VERSION_CODENAME:-stable}/InRelease' mirror.example_InRelease 0 "
END
chmod +x "$work"/bin/*
export PATH=$work/bin:$PATH VITRINE_DEPS_DIR=$work/deps CALLS=$work/calls UPSTREAM=/nonexistent DEBIAN=/nonexistent
readonly source=$work/deps/src/cli11 download=$work/deps/download

fetch() { : > "$CALLS"; toolchains/dependencies.sh "${@:-cli11}" > "$work/log" 2>&1; }
fail() { echo "$1"; sed 's/^/    /' "$work/log" "$CALLS"; exit 1; }
clean() { rm -rf "$work/deps"; }
calls() { grep -c "^$1 " "$CALLS" || true; }

# pack FOLDER ARCHIVE: makes an archive like upstream's, with a file that the lock does not list.
pack() { echo "not in the lock" > "$work/$1/azure-pipelines.yml"; tar -C "$work" -czf "$work/$2" "$1"; }

mkdir -p "$work"/{CLI11-2.4.1,stb,debian}
cp -r "$shared"/src/cli11/{LICENSE,include} "$work/CLI11-2.4.1/"
cp "$shared"/src/stb/{LICENSE,stb_image.h,stb_image_write.h} "$work/stb/"
pack CLI11-2.4.1 upstream.tar.gz
tar -C "$work" -cJf "$work/debian/cli11_2.4.1+ds.orig.tar.xz" CLI11-2.4.1
tar -C "$work/stb" -cJf "$work/debian/libstb_0.0~git20241109.5c20573+ds.orig.tar.xz" .  # the files are not in a folder
head -c 1000 "$work/upstream.tar.gz" > "$work/cut.tar.gz"

fetch && fail "a dependency that is not available counts as fetched"
grep -q 'could not fetch cli11 2.4.1' "$work/log" || fail "the missing dependency is not named"
grep -q 'https://github.com/CLIUtils' "$work/log" || fail "upstream's address is not named"
grep -q 'http://mirror.example/debian/pool/main/c/cli11/' "$work/log" || fail "Debian's address is not named"
[ ! -e "$source" ] || fail "a failed download leaves sources"
fetch no_such_dependency && fail "a name that is not in the lock is accepted"

UPSTREAM=$work/upstream.tar.gz fetch || fail "upstream's archive is refused"
[ -f "$source/include/CLI/CLI.hpp" ] || fail "upstream's archive is not unpacked"
[ ! -e "$source/azure-pipelines.yml" ] || fail "a file that the lock does not name is used"
[ "$(calls apt-helper)" = 0 ] || fail "Debian's archive is read although upstream answers"
fetch || fail "the second run fails"
[ ! -s "$work/log" ] && [ ! -s "$CALLS" ] || fail "the second run does something"

echo "cli11 version 0" > "$source/.lock"
fetch || fail "the archive in the download folder is not used"
[ ! -s "$CALLS" ] || fail "an archive is downloaded although it is in the download folder"
grep -q "^cli11 version 2.4.1" "$source/.lock" || fail "sources of another lock are kept"

clean
DEBIAN=$work/debian fetch cli11 stb || fail "Debian's archives are refused"
[ -f "$source/include/CLI/CLI.hpp" ] && [ -f "$work/deps/src/stb/stb_image.h" ] || fail "Debian's archives are not unpacked"
[ "$(calls curl)" = 1 ] || fail "upstream is tried again after it did not answer"
rm -r "$work/deps/src"
fetch cli11 stb || fail "Debian's archives in the download folder are not used"
[ ! -s "$CALLS" ] || fail "an archive is downloaded although it is in the download folder"

clean
UPSTREAM=$work/upstream.tar.gz fetch &
UPSTREAM=$work/upstream.tar.gz toolchains/dependencies.sh cli11 > "$work/log2" 2>&1 || fail "the second of two parallel runs fails"
wait $! || fail "the first of two parallel runs fails"
[ "$(cat "$work/log" "$work/log2" | grep -c https:)" = 1 ] || fail "two parallel runs both download"

clean
UPSTREAM=$work/cut.tar.gz DEBIAN=$work/debian fetch || fail "a cut archive from upstream hinders Debian's"
clean
UPSTREAM=$work/cut.tar.gz fetch && fail "half an archive is accepted"
[ ! -e "$source" ] || fail "half an archive leaves sources"

echo "// changed" >> "$work/CLI11-2.4.1/include/CLI/CLI.hpp"
pack CLI11-2.4.1 changed.tar.gz
tar -C "$work" -cJf "$work/debian/cli11_2.4.1+ds.orig.tar.xz" CLI11-2.4.1
clean
UPSTREAM=$work/changed.tar.gz DEBIAN=$work/debian fetch && fail "a changed archive is accepted"
[ "$(grep -c "cli11: the files in .* have the checksum" "$work/log")" = 2 ] || fail "the changed archives are not named"
[ ! -e "$source" ] || fail "a changed archive leaves sources"
fetch && fail "a changed archive in the download folder is accepted"
[ ! -e "$source" ] || fail "a changed archive in the download folder leaves sources"

cp -r "$shared"/src/cli11/include/CLI/CLI.hpp "$work/CLI11-2.4.1/include/CLI/"
echo "// added" > "$work/CLI11-2.4.1/include/CLI/Added.hpp"
pack CLI11-2.4.1 added.tar.gz
clean
UPSTREAM=$work/added.tar.gz fetch && fail "an archive with another file among those that the lock names is accepted"
echo "all passed"
