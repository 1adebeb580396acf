# How to ask Debian's mirrors through apt without touching the system's own lists. Sourced.
# shellcheck shell=sh

# The mirror that apt has for Debian, or with `security` for its security updates.
mirror() {
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
		sort -u | if [ "${1:-}" = security ]; then grep security; else grep -v security; fi | head -n 1
}

# own_lists DIR SUITE…: lists of the source packages of these suites and of their security updates,
# in DIR; sets apt_options to what makes apt use them. Fails when one of them cannot be read.
own_lists() {
	lists=$1
	shift
	archive=$(mirror) && security=$(mirror security) || true
	if [ -z "$archive" ] || [ -z "$security" ]; then
		# A fresh machine has not read its lists yet.
		apt-get -qq update || true
		archive=$(mirror) && security=$(mirror security) || true
	fi
	if [ -z "$archive" ] || [ -z "$security" ]; then
		echo "apt knows no mirror of Debian and of its security updates on this machine" >&2
		return 1
	fi
	mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
	for one in "$@"; do
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $one main"
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $security $one-security main"
	done >"$lists/sources.list"
	apt_options="-o Dir::Etc::sourcelist=$lists/sources.list -o Dir::Etc::sourceparts=/dev/null
		-o Dir::State::lists=$lists/lists -o Dir::Cache=$lists/cache -o APT::Sandbox::User=root"
	# shellcheck disable=SC2086 # a list of words
	apt-get $apt_options -o APT::Update::Error-Mode=any -qq update
}
