# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What lab/run and lab/test share: the programs that go into the guest. Sourced with lab= set.
lab=${lab:?}

workload() { # builds it when its sources are newer, prints its path
    make -s -C "$lab/workload" build/workload >&2 ||
        { echo "lab: the workload could not be built (make -C lab/workload shows why)" >&2; return 1; }
    echo "$lab/workload/build/workload"
}

mrtrace() { # prints the path of the tracer
    program=${MRTRACE:-$lab/../build/mrtrace}
    [ -x "$program" ] || { echo "lab: there is no $program; run \"make build\", or set MRTRACE" >&2; return 1; }
    echo "$program"
}

quote() { # the words as one line of shell
    for word in "$@"; do
        printf "'%s' " "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"
    done
}
