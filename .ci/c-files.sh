# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Which C files .ci/check and .ci/format hold to .clang-format.
c_places="Sources lab bpf"

checked_c_files() {
    # shellcheck disable=SC2086 # places are words
    git ls-files -- $c_places | grep -E '\.[ch]$' | while read -r file; do
        [ -L "$file" ] || [ ! -f "$file" ] || echo "$file"
    done
}
