# node-init.sh: PID 1 of a real node until it becomes systemd; sets up what firmware, kernel and initrd would.
#
# It runs in new pid, mount, network, uts, ipc and time namespaces. The environment says which node this is:
#   NODE     its name                      MACHINE  its directory: boot_id, cmdline, partitions, console.log
#   CGROUP   the name of its cgroups       DISK     its disk, such as loop8
#   USR      the partition to boot         ROOT     the partition with /etc, /var and /boot
#   ENTRY    the boot loader's entry of that slot, such as usr-a
#   PROGRAMS CNI KUBELET IMAGES            directories that the node sees below /opt/node
# The status of a failure is mount's (32) or 127 where the slot has no init.
set -e

# First the node's cgroups, then a cgroup namespace, whose root they are: systemd sees /, the kubelet /kubepods.
if [ "$1" != namespaced ]; then
  for group in "/sys/fs/cgroup/$CGROUP" /sys/fs/cgroup/*/"$CGROUP"; do
    [ ! -d "$group" ] || echo 0 >"$group/cgroup.procs"
  done
  exec unshare --cgroup /bin/sh "$0" namespaced
fi

node=$MACHINE/root
mount -n --make-rprivate /
mount -n "/dev/$ROOT" "$node"
mount -n -o ro "/dev/$USR" "$node/usr"
while read -r name source; do
  mount -n --bind "$source" "$node/opt/node/$name"
  mount -n -o remount,bind,ro "$node/opt/node/$name"
done <<END
bin $PROGRAMS
cni $CNI
kbin $KUBELET
images $IMAGES
END

# /dev: of the computer's block devices only the node's own disk. udev does not run: the links are made here.
mount -n -t tmpfs -o mode=755,nosuid dev "$node/dev"
cd "$node/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 kmsg:1:3; do
  name=${device%%:*} numbers=${device#*:}
  mknod -m 666 "$name" c "${numbers%:*}" "${numbers#*:}"
done
mkdir pts shm mqueue disk disk/by-partlabel disk/by-partuuid
mount -n -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts pts
ln -s pts/ptmx ptmx
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
: >console
mount -n --bind "$MACHINE/console.log" console
mount -n -t tmpfs -o mode=1777,nosuid,nodev shm shm
mount -n -t mqueue mqueue mqueue
for device in "/sys/block/$DISK" "/sys/block/$DISK/$DISK"p*; do
  numbers=$(cat "$device/dev")
  mknod -m 660 "${device##*/}" b "${numbers%:*}" "${numbers#*:}"
done
while read -r index label partuuid; do
  ln -s "../../${DISK}p$index" "disk/by-partlabel/$label"
  ln -s "../../${DISK}p$index" "disk/by-partuuid/$partuuid"
done <"$MACHINE/partitions"

# /proc: a boot ID and a command line of its own. What concerns the whole computer is read-only; where the kubelet
# would write it (overcommit, panic), it finds a file that already says what it wants.
mount -n -t proc -o nosuid,nodev,noexec proc "$node/proc"
sys=$node/proc/sys
mount -n --bind "$sys" "$sys"
mount -n -o remount,bind,ro "$sys"
for key in net fs/mqueue kernel/hostname kernel/domainname kernel/shmmax kernel/shmall kernel/shmmni kernel/msgmax \
  kernel/msgmnb kernel/msgmni kernel/sem; do
  [ -e "$sys/$key" ] || continue
  mount -n --bind "$sys/$key" "$sys/$key"
  mount -n -o remount,bind,rw "$sys/$key"
done
mkdir -p "$MACHINE/sysctl"
for pair in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  key=${pair%=*}
  file=$MACHINE/sysctl/${key##*/}
  echo "${pair#*=}" >"$file"
  mount -n --bind "$file" "$sys/$key"
done
mount -n --bind "$MACHINE/boot_id" "$sys/kernel/random/boot_id"
# What the boot loader says of itself, and then what its entry says (Boot Loader Specification, type #1).
options=$(sed -n 's/^options[[:blank:]]\{1,\}//p' "$node/boot/loader/entries/$ENTRY.conf" | tr '\n' ' ')
read -r words <"$MACHINE/cmdline"
printf '%s\n' "$words ${options% }" >"$MACHINE/cmdline"
mount -n --bind "$MACHINE/cmdline" "$node/proc/cmdline"
[ ! -e "$node/proc/sysrq-trigger" ] || mount -n --bind /dev/null "$node/proc/sysrq-trigger"
echo "$NODE" >/proc/sys/kernel/hostname

# /sys: read-only by a bind, so that networkd works without udev and privileged pods still get a writable one.
mount -n -t sysfs -o nosuid,nodev,noexec sysfs "$node/sys"
groups=$node/sys/fs/cgroup
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -n -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$groups"
else
  # The tmpfs around the hierarchies is read-only, or systemd would mount further ones for the whole computer.
  mount -n -t tmpfs -o mode=755,nosuid,nodev,noexec cgroup "$groups"
  for hierarchy in /sys/fs/cgroup/*; do
    name=${hierarchy##*/}
    if [ -L "$hierarchy" ]; then
      ln -s "$(readlink "$hierarchy")" "$groups/$name"
    elif [ -d "$hierarchy/$CGROUP" ] || [ -e "$hierarchy/cgroup.procs" ]; then
      mkdir "$groups/$name"
      case $name in
        unified) mount -n -t cgroup2 cgroup2 "$groups/$name" ;;
        systemd) mount -n -t cgroup -o none,name=systemd cgroup "$groups/$name" ;;
        *) mount -n -t cgroup -o "$name" cgroup "$groups/$name" ;;
      esac
    fi
  done
  mount -n -o remount,bind,ro "$groups"
fi
mount -n -o remount,bind,ro "$node/sys"

mount -n -t tmpfs -o mode=755,nosuid,nodev tmpfs "$node/run"
mount -n -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$node/tmp"

# The network card is plugged in from outside.
patience=4000
until ip link show eth0 >/dev/null 2>&1; do
  patience=$((patience - 1))
  [ "$patience" -gt 0 ] || exit 1
  sleep 0.02
done
ip link set lo up

[ -x "$node/usr/lib/systemd/systemd" ] || exit 127
: >"$MACHINE/jumped" # from here on the watchdog counts
cd "$node"
mkdir -p run/computer
pivot_root . run/computer
cd /
umount -l /run/computer
rmdir /run/computer
mount -n --make-rshared /

# `container` tells systemd not to touch the computer's own devices when it shuts down. There it takes its own
# arguments for the kernel's command line.
read -r words </proc/cmdline
uuid=$(tr -d - </proc/sys/kernel/random/boot_id)
# shellcheck disable=SC2086 # the words of the command line
exec env -i container=node container_uuid="$uuid" PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd $words
