# lib.sh - the lab: real mail systems on one machine, offline. Sourced by run; needs root, debootstrap, iproute2, python3.
#
# Each mail system lives in its own Debian chroot and runs in its own network, pid, mount, uts and ipc namespaces with a
# loopback only: no packet leaves the machine, and every daemon dies with its namespace.

LAB=${GHOSTQ_LAB:-/var/tmp/ghostq-test-lab}
SUITE=${GHOSTQ_LAB_SUITE:-bookworm}

# The mirrors that this machine already uses; security updates where there are some.
lab_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v want="$1" '($2 ~ /security/) == (want == "security") && !seen++ {print $1}'
}

# The tree that all chroots start from. About a minute, 240 MB.
lab_base() {
  [ -e "$LAB/base/.complete" ] && return 0
  rm -rf "$LAB/base"
  mkdir -p "$LAB"
  local mirror security
  mirror=$(lab_mirror main)
  security=$(lab_mirror security)
  debootstrap --variant=minbase --include=faketime,python3,procps,ca-certificates \
    "$SUITE" "$LAB/base" "$mirror" >"$LAB/debootstrap.log" 2>&1 || return 1
  printf 'deb %s %s main\n' "$mirror" "$SUITE" >"$LAB/base/etc/apt/sources.list"
  [ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$SUITE" >>"$LAB/base/etc/apt/sources.list"
  # A package must not start its daemon while it is installed.
  printf '#!/bin/sh\nexit 101\n' >"$LAB/base/usr/sbin/policy-rc.d"
  chmod 755 "$LAB/base/usr/sbin/policy-rc.d"
  rm -f "$LAB"/base/var/cache/apt/archives/*.deb
  touch "$LAB/base/.complete"
}

# lab_chroot NAME PACKAGE…: a copy of the base with these packages.
lab_chroot() {
  local name=$1 root=$LAB/$1
  shift
  [ -e "$root/.complete" ] && [ "$(cat "$root/.complete")" = "$*" ] && return 0
  rm -rf "$root"
  cp -a --reflink=auto "$LAB/base" "$root"
  rm -f "$root/.complete"
  mkdir -p "$root/lab"
  echo lab.test >"$root/etc/mailname"
  printf '127.0.0.1 localhost lab.test lab\n127.0.0.2 grey.test\n127.0.0.1 dead.test\n127.0.0.3 slow.test\n127.0.0.4 ok.test back.test\n' \
    >"$root/etc/hosts"
  cp /etc/resolv.conf "$root/etc/resolv.conf" # needed once, by apt
  unshare -m -u --propagation private bash -c "hostname lab.test
    mount -t proc proc '$root/proc'; mount --bind /dev '$root/dev'
    DEBIAN_FRONTEND=noninteractive chroot '$root' sh -c 'apt-get update -qq &&
      apt-get install -y -q --no-install-recommends $*'" >"$LAB/install-$name.log" 2>&1 || return 1
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  : >"$root/etc/resolv.conf" # offline from now on
  chroot "$root" useradd -m labuser 2>/dev/null
  cp -a "$root" "$root.fresh.tmp" && rm -rf "$root.fresh" && mv "$root.fresh.tmp" "$root.fresh"
  echo "$*" >"$root/.complete"
}

# lab_run NAME [SCRIPT]: runs SCRIPT.sh (NAME.sh if none is given) inside the chroot of NAME, which is fresh each time. Inside are /lab/ghostq, /lab/inside.sh, and
# SMTP servers on 127.0.0.2:25 (451 4.7.1), 127.0.0.3:25 (hangs after DATA), 127.0.0.4:25 (accepts) and 127.0.0.5:25 (accepts
# recipients that begin with `ok`, 451 for the rest).
lab_run() {
  local name=$1 script=${2:-$1} root=$LAB/$1 here
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  local packages
  packages=$(cat "$root/.complete")
  rm -rf "$root"
  cp -a --reflink=auto "$root.fresh" "$root"
  echo "$packages" >"$root/.complete"
  mkdir -p "$root/lab/received"
  cp "$here"/*.sh "$here"/*.py "$root/lab/"
  cp "$GHOSTQ" "$root/lab/ghostq"
  unshare -m -n -p -u -i --fork --kill-child --propagation private bash -c '
    root=$1; script=$2
    ip link set lo up; hostname lab.test
    mount -t proc proc "$root/proc"; mount --bind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/run"; mkdir -p "$root/run/lock" "$root/dev/shm"
    for server in 2:grey 3:slow 4:ok 5:mixed; do
      chroot "$root" python3 /lab/fakesmtp.py "127.0.0.${server%%:*}" 25 "${server##*:}" >>"$root/lab/fakesmtp.log" 2>&1 &
    done
    sleep 0.4
    # Not as process 1 of the namespace: some daemons do not fork there.
    timeout -k 5 400 chroot "$root" bash "/lab/$script.sh"; exit $?' _ "$root" "$script"
}
