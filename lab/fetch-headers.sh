# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# The part of lab/fetch that brings what building a module for one kernel needs: its headers and kbuild's programs.
# Sourced with our_apt and the variables name, release, version, kernel, cache, state, index_stamp.

depends() { # $1: package=version; the names it depends on, first alternatives only
    apt-cache -c "$state/$kernel.conf" show "$1" 2>/dev/null | sed -n 's/^Depends: //p' | head -n 1 |
        tr ',' '\n' | sed -e 's/^ *//' -e 's/[ (|:].*//'
}

headers=linux-headers-$release
parts=$(depends "$headers=$version" | grep -E '^linux-(headers-.*-common|kbuild-.*)$') ||
    fail "$headers $version is not in the package indexes of $mirror (headers leave the archive before their kernel does)"
say "downloading $headers $version"
work=$(mktemp -d "$cache/headers.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit
wanted=$headers=$version
for part in $parts; do wanted="$wanted $part=$version"; done
# shellcheck disable=SC2086
our_apt download $wanted >&2 || { rm -f "$index_stamp"; fail "$headers could not be downloaded from $mirror"; }
for deb in ./*.deb; do dpkg -x "$deb" tree; done
sha256sum ./*.deb | sed 's|\./||' >tree/packages
rm ./*.deb
source=$(cd "tree/usr/src/$headers" && pwd)
kbuild=$(readlink -f "$source/scripts/..")
[ -f "$source/Makefile" ] && [ -x "$kbuild/scripts/basic/fixdep" ] ||
    fail "$headers $version has no Makefile or kbuild where they are expected"

# The packages are not installed, so the absolute paths in them lead nowhere.
find "$source" tree/usr/src -maxdepth 1 -name Makefile -o -maxdepth 1 -name .kernelvariables | while read -r file; do
    sed -i "s|/usr/src/linux-headers-|$cache/headers/$name/usr/src/linux-headers-|" "$file"
done

# kbuild's programs of a newer Debian than this one run with that Debian's libraries, unpacked beside them.
programs() { find "$kbuild" -type f -perm -100 ! -name '*.program' | while read -r file; do
    [ "$(head -c 4 "$file" | tail -c 3)" != ELF ] || echo "$file"; done; }
if programs | while read -r file; do ldd "$file" 2>&1; done | grep -q 'version .* not found'; then
    case $release in
    *+deb13*) codename=trixie ;;
    *) fail "the programs of kbuild for $release do not run here, and which Debian they are of is not known" ;;
    esac
    say "kbuild's programs need the libraries of $codename"
    todo=$(depends "$(echo "$parts" | grep '^linux-kbuild-')=$version" | grep -E '^(lib|zlib)')
    libraries=""
    while [ -n "$todo" ]; do
        next=""
        for library in $todo; do
            case " $libraries " in *" $library "*) continue ;; esac
            libraries="$libraries $library"
            next="$next $(depends "$library/$codename" | grep -E '^(lib|zlib)' || true)"
        done
        # shellcheck disable=SC2086,SC2116 # without the space around them
        todo=$(echo $next)
    done
    for library in $libraries; do wanted_libraries="${wanted_libraries:-} $library/$codename"; done
    # shellcheck disable=SC2086
    our_apt download $wanted_libraries >&2 || { rm -f "$index_stamp"; fail "the libraries of $codename could not be downloaded"; }
    for deb in ./*.deb; do dpkg -x "$deb" libraries; done
    rm ./*.deb
    mkdir tree/libraries
    find libraries -path '*/lib*/*' -name '*.so*' ! -type d ! -path '*/etc/*' ! -path '*/gconv/*' ! -path '*/ossl-modules/*' ! -path '*/engines*' -exec cp -L {} tree/libraries/ \;
    programs | while read -r file; do
        mv "$file" "$file.program"
        cat >"$file" <<END
#!/bin/sh
exec "$cache/headers/$name/libraries/ld-linux-x86-64.so.2" --argv0 "\$0" \\
    --library-path "$cache/headers/$name/libraries" "\$0.program" "\$@"
END
        chmod 755 "$file"
    done
fi

ln -s "usr/src/$headers" tree/build
rm -rf "$cache/headers/$name"
mv tree "$cache/headers/$name"
say "$headers is ready"
readlink -f "$cache/headers/$name/build"
