# detach-disk.sh DEVICE: takes a loop device and its partitions away, once the last mount of them is gone, which the
# kernel does a moment after the last process. Status 1: something still holds them after two minutes.
device=$1
name=${device##*/}
patience=2400
while :; do
  for partition in "/sys/block/$name/$name"p*; do
    [ -e "$partition/partition" ] && partx -d --nr "$(cat "$partition/partition")" "$device" 2>/dev/null
  done
  held=$(ls -d "/sys/block/$name/$name"p* 2>/dev/null)
  [ -z "$held" ] && break
  patience=$((patience - 1))
  if [ "$patience" = 0 ]; then
    echo "still in use: $held" >&2
    exit 1
  fi
  sleep 0.05
done
losetup -d "$device"
