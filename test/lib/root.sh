# Sourced by tests of what is deployed: clean roots of Debian 12.
# shellcheck shell=bash

# The packages of the minimum, as an archive that is made once a checkout.
base_archive() {
	local archive=$checkout/build/bookworm.tar
	if [ ! -s "$archive" ]; then
		mkdir -p "${archive%/*}"
		mmdebstrap --quiet --variant=minbase bookworm "$archive.new.tar" >&2 && mv "$archive.new.tar" "$archive"
	fi
	echo "$archive"
}

# A root below $work of its own; apt finds what the machine's finds.
make_root() {
	mkdir "$1"
	tar -C "$1" --exclude='./dev/*' -xf "$(base_archive)"
	cp /etc/resolv.conf "$1/etc/resolv.conf"
	rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d
	cp -r /etc/apt/sources.list.d "$1/etc/apt/"
	[ ! -f /etc/apt/sources.list ] || cp /etc/apt/sources.list "$1/etc/apt/"
	# As in a container: nothing is started by a package.
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

# Runs a command in it, with mounts that end with the command, and nothing of our environment.
in_root() {
	local root=$1
	shift
	unshare --mount --pid --fork --kill-child -- bash -ec '
		root=$1; shift
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/dev"
		for name in null zero full random urandom; do
			touch "$root/dev/$name"
			mount --bind "/dev/$name" "$root/dev/$name"
		done
		ln -s /proc/self/fd "$root/dev/fd"
		mkdir "$root/dev/shm"
		mount -t tmpfs tmpfs "$root/dev/shm"
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"' \
		- "$root" "$@"
}
