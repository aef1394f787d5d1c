// The watcher of a container's health: a shell script. A program of Node's for each container would take 70 MB.
//
// Between two checks it is a shell and a `sleep`. Times are in hundredths of a second of the host's uptime, which the shell
// reads from the kernel without a process. Its rules are moby's (daemon/health.go).

import type { HealthSettings } from './health-settings.js';

/** Of a check's output, so many bytes are kept. */
const MAX_OUTPUT = 4096;
/** So many results are kept. */
export const MAX_LOG = 5;
/** One more than are told of: nobody reads what is being written. */
const SLOTS = MAX_LOG + 1;

export interface HealthScript {
  readonly settings: HealthSettings;
  /** Of the container's first process; the watcher ends when that has ended. */
  readonly first: { readonly pid: number; readonly start: number };
  /** What says whether the container is held: see `freezerFiles`. */
  readonly freezers: readonly string[];
  /** Runs the check, and leaves its number in the file `pid`. */
  readonly check: readonly string[];
  /** When the host's uptime was 0, in milliseconds of the epoch. */
  readonly origin: number;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const words = (list: readonly string[]): string => list.map(quote).join(' ');
const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);
const hundredths = (milliseconds: number): string => Math.floor(milliseconds / 10).toFixed(0);

/**
 * To be run by a POSIX shell in a directory of its own, as the leader of a process group, which is to be killed with the container's end.
 * The file `state` is always whole.
 */
export function healthScript({ settings, first, freezers, check, origin }: HealthScript): string {
  const { interval, timeout, startPeriod, startInterval, retries } = settings;
  const patience = seconds(timeout);
  return `# The health checks of a container, by veneer.
now() { read -r now _ </proc/uptime; now=\${now%.*}\${now#*.}; now=\${now#0}; }

# Field 3 of a process's stat and those after it; its name before them may have blanks. One that is ending (PF_EXITING of its flags)
# takes all others of the container with it first, and its namespaces cannot be entered any more.
alive() {
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  pid=$1 start=$2
  set -- \${stat##*) }
  [ "$1" != Z ] && [ "$1" != X ] && [ $(($7 & 4)) -eq 0 ] && [ "\${20}" = "$start" ]
}

held() {
  for file in ${words(freezers)}; do
    while read -r line; do
      case $line in FROZEN|FREEZING|'frozen 1') return 0;; esac
    done 2>/dev/null <"$file"
  done
  return 1
}

tell() {
  printf '%s\\n' "${origin.toFixed(0)} $self $status $streak" >state.new && printf '%s' "$log" >>state.new && mv state.new state
}

# timeout(1) makes a process group for the check, which may so signal its group without meeting the watcher. Background processes of
# a check may hold on to its output; they are not waited for much longer than for itself.
check() {
  : >code; : >pid
  pid=
  { timeout -k 1 ${patience} ${words(check)} </dev/null 2>&1; echo "$?" >code; } |
    timeout --foreground ${seconds(timeout + 2000)} sh -c 'head -c ${String(MAX_OUTPUT)} >"$0"; exec cat >/dev/null' "output.$1"
  read -r code <code || code=-1
  read -r pid 2>/dev/null <pid
  now
  case $code in
    124|137) [ $((now - begun)) -ge ${hundredths(timeout)} ] || return;;
    # The runtime could not start it.
    *) [ -n "$pid" ] || code=-1; return;;
  esac
  [ -n "$pid" ] && [ "/proc/$pid/ns/pid" -ef "/proc/${String(first.pid)}/ns/pid" ] && kill -9 "$pid" 2>/dev/null
  code=-1
  printf %s 'Health check exceeded timeout (${String(timeout / 1000)}s)' >"output.$1"
}

judge() {
  if [ "$1" -eq 0 ]; then
    status=healthy streak=0
  elif [ $status != starting ] || [ $((begun - started)) -ge ${hundredths(startPeriod)} ]; then
    streak=$((streak + 1))
    [ $streak -lt ${String(retries)} ] || status=unhealthy
  fi
}

read -r stat <"/proc/$$/stat"
set -- \${stat##*) }
self="$$ \${20}" status=starting streak=0 log= count=0
now
started=$now
tell || exit
while alive ${String(first.pid)} ${String(first.start)}; do
  now
  if [ $status = starting ] && [ $((now - started)) -lt ${hundredths(startPeriod)} ]; then
    sleep ${seconds(Math.min(startInterval, interval))}
  else
    sleep ${seconds(interval)}
  fi
  alive ${String(first.pid)} ${String(first.start)} || exit
  held && continue
  now
  begun=$now slot=$((count % ${String(SLOTS)}))
  check $slot
  alive ${String(first.pid)} ${String(first.start)} || exit
  judge "$code"
  count=$((count + 1)) log="$log$begun $now $code $slot
"
  [ $count -le ${String(MAX_LOG)} ] || log=\${log#*
}
  tell || exit
done
`;
}
