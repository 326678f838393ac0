# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# Sourced: an apt with state of its own, so that the machine's apt is neither changed nor asked for root. It does the
# transport and the verification (signature of InRelease, sums of indexes and packages).

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
debian_releases='(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)'

# The mirror that the machine's own apt has for suites of this pattern; nothing if it has none.
configured_mirror() { # $1: pattern of the suite names
    # shellcheck disable=SC2016 # apt puts them in
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 2>/dev/null |
        awk -v suites="$1" '$1 ~ suites { sub("/$", "", $2); print $2; exit }'
}

# One line of a sources.list.
apt_source() { # $1: mirror, $2: suite
    echo "deb [arch=amd64 signed-by=$keyring] $1 $2 main"
}

# Writes $1/$2.conf, for the sources in $1/$2.list.
write_apt_conf() { # $1: directory for its state, $2: name
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    : >>"$1/status"
    cat >"$1/$2.conf" <<EOF
Dir::State "$1";
Dir::State::lists "$1/lists";
Dir::State::status "$1/status";
Dir::Cache "$1";
Dir::Cache::archives "$1/archives";
Dir::Etc::sourcelist "$1/$2.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures { "amd64"; };
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
APT::Get::List-Cleanup "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
EOF
}
