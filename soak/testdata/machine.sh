#!/bin/sh
# Starts a machine of its own in namespaces that the caller made (unshare --mount --pid --uts --ipc --net --cgroup --fork):
#   machine.sh NAME BASE WORK INIT...
# BASE is a Debian root, which stays as it is: what the machine writes goes to WORK. INIT becomes its process 1.
set -e

name=$1 base=$2 work=$3
shift 3
root=$work/root
mount --make-rprivate /
mkdir -p "$root" "$work/upper" "$work/work"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/work" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o nosuid,nodev tmpfs "$root/dev/shm"
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs "$root/run"
hostname "$name"
echo "$name" >"$root/etc/hostname"
mkdir "$root/outside"
cd "$root"
pivot_root . outside
umount -l /outside
rmdir /outside
touch /run/machine-is-up
exec env -i container=tocsin-test PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
