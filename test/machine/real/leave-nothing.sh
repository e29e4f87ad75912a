# leave-nothing.sh FLEET: takes away what remains of a fleet when all its processes have been killed. FLEET is its
# directory, by whose name those of its cgroups begin. The file `loops` in it lists the devices that it has had.
fleet=$1 id=$(basename "$1") here=$(dirname "$0")

# The namespaces of a killed node end a moment after its guardian.
patience=200
while grep -qs . /sys/fs/cgroup/"$id"*/cgroup.procs /sys/fs/cgroup/*/"$id"*/cgroup.procs && [ "$patience" -gt 0 ]; do
  patience=$((patience - 1))
  sleep 0.05
done

losetup -l -n -O NAME,BACK-FILE | while read -r device file; do
  case $file in "$fleet"/*) sh "$here/detach-disk.sh" "$device" ;; esac
done

# Devices beyond those that the kernel came with would stay in /dev; LOOP_CTL_REMOVE spares the ones in use.
sort -u "$fleet/loops" 2>/dev/null | while read -r device; do
  number=${device#/dev/loop}
  [ "$number" -ge 8 ] || continue
  perl -e 'open(my $control, "+<", "/dev/loop-control") or exit; ioctl($control, 0x4C81, int(shift))' "$number"
done

patience=100
while [ "$patience" -gt 0 ]; do
  left=$(ls -d /sys/fs/cgroup/"$id"* /sys/fs/cgroup/*/"$id"* 2>/dev/null)
  [ -z "$left" ] && break
  for group in $left; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; done
  patience=$((patience - 1))
  sleep 0.05
done

rm -rf --one-file-system -- "$fleet"
