# guardian.sh GRACE COMMAND [ARGUMENT...]: runs COMMAND and ends it when the parent ends, however that happens.
#
# Started as the leader of a session and process group of its own, so that Ctrl-C at a terminal reaches only
# the parent. Standard input is the lifeline: a pipe whose other end only the parent holds. A line on it is the
# name of a signal for the command (KILL, STOP, CONT, ...); its end means that the parent is gone or wants an
# end: TERM, then KILL for the whole group after GRACE tenths of a second (0: KILL at once).
# Descriptor 3 reports the command's process id. Descriptor 4, if open, is held until everything here is gone.
#
# No process id is used after its process was reaped: `wait` is the last thing that the main shell does, and a
# group id cannot be given out again while a member (the watcher) lives.
grace=$1
shift
exec 5<&0 </dev/null
"$@" 3>&- 4>&- 5<&- &
child=$!
trap '' PIPE
{
  PATH=$PATH:/usr/bin:/bin # for sleep, whatever the parent's path is
  while read -r signal; do kill -s "$signal" "$child"; done
  if [ "$grace" -gt 0 ] && kill -0 $$; then
    kill -s TERM "$child"
    kill -s CONT "$child" # a stopped process would get TERM only then
  fi
  while [ "$grace" -gt 0 ] && kill -0 $$; do
    sleep 0.1
    grace=$((grace - 1))
  done
  kill -0 $$ && kill -s KILL "$child"
  for moment in 1 2 3 4 5 6 7 8 9 10; do # the main shell reaps it and ends
    kill -0 $$ || break
    sleep 0.02
  done
  kill -s KILL 0
} <&5 >/dev/null 2>&1 3>&- &
echo "$child" >&3
exec 3>&- 5<&-
wait "$child"
