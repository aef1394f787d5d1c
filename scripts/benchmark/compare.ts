// The same work by veneer and by others, in interleaved runs: the programs behind scripts/bench-images,
// bench-registry and bench-containers.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Failed } from './failure.js';
import { describeMachine } from './machine.js';
import { script } from './shell.js';
import { summarize } from './statistics.js';

export interface Contestant {
  readonly name: string;
  /** Debian packages that it needs. */
  readonly packages?: readonly string[];
  /** Not timed. */
  readonly before?: string;
  /** The timed part, in a shell of its own that knows the variables and functions of `before`. */
  readonly run: string;
  /** Not timed; knows the same. Takes away what outlives the directory. */
  readonly after?: string;
}

export interface ImageWorkload {
  readonly name: string;
  readonly title: string;
  /** The first one is veneer. */
  readonly contestants: readonly [Contestant, ...Contestant[]];
  /** Median of veneer divided by that of each `against`, at most `limit`. */
  readonly targets?: readonly { readonly against: string; readonly limit: number }[];
  /** MiB: the most that a process of veneer may have in memory. */
  readonly memory?: number;
}

/** One run: seconds, and MiB of the largest process at its largest. */
interface Sample {
  readonly seconds: number;
  readonly memory: number;
}

const PROGRAM = path.resolve(import.meta.dirname, '../../dist/program/veneer.cjs');

const OPTIONS = {
  list: { type: 'boolean' },
  needs: { type: 'boolean' },
  rounds: { type: 'string', default: '5' },
  scratch: { type: 'string', default: '' },
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** One run, in an empty directory. Throws Failed. */
function runOnce({ before = '', run, after = ':' }: Contestant, inputs: string, out: string): Sample {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  // What is declared before is exported for the timed shell, whose largest descendant time(1) knows.
  const text = `set -a
veneer() { '${PROGRAM}' "$@"; }
export -f veneer
${before}
set +a
began=$EPOCHREALTIME
command time -q -f %M -o "$OUT/.memory" bash -euo pipefail -c "$RUN" >/dev/null
printf '%s %s\\n' "$began" "$EPOCHREALTIME" >"$OUT/.clock"
{ ${after}; } >/dev/null
veneer umount --all >/dev/null 2>&1 || true`;
  script(text, { env: { IN: inputs, OUT: out, VENEER_ROOT: path.join(out, 'store'), RUN: run }, cwd: out });
  const [began = NaN, ended = NaN] = readFileSync(path.join(out, '.clock'), 'utf8').split(' ').map(Number);
  return { seconds: ended - began, memory: Number(readFileSync(path.join(out, '.memory'), 'utf8')) / 1024 };
}

/** Prints medians, spread, memory, and veneer's ratio to each; true where the targets were met or there are none. */
function report(workload: ImageWorkload, samples: ReadonlyMap<Contestant, readonly Sample[]>): boolean {
  say(`\n${workload.name}: ${workload.title}`);
  const times = new Map([...samples].map(([{ name }, all]) => [name, summarize(all.map(({ seconds }) => seconds))]));
  const largest = new Map([...samples].map(([{ name }, all]) => [name, Math.max(...all.map(({ memory }) => memory))]));
  const { name: self } = workload.contestants[0];
  const own = times.get(self)?.median ?? NaN;
  for (const [name, { median, mad, min, max }] of times) {
    const spread = `+-${((100 * mad) / median).toFixed(0)}%`;
    const range = `${min.toFixed(3)}..${max.toFixed(3)}`;
    const memory = `${(largest.get(name) ?? NaN).toFixed(0)} MiB`;
    const ratio = name === self ? '' : `   veneer/${name}: ${(own / median).toFixed(2)}`;
    say(`  ${name.padEnd(20)} ${median.toFixed(3)} s ${spread.padEnd(6)} ${range}  ${memory.padStart(8)}${ratio}`);
  }
  const verdicts = (workload.targets ?? []).map(({ against, limit }) => {
    const met = own / (times.get(against)?.median ?? NaN) <= limit;
    say(`  target: at most ${String(limit)} of ${against}: ${met ? 'met' : 'MISSED'}`);
    return met;
  });
  if (workload.memory !== undefined) {
    const met = (largest.get(self) ?? NaN) <= workload.memory;
    say(`  target: at most ${String(workload.memory)} MiB: ${met ? 'met' : 'MISSED'}`);
    verdicts.push(met);
  }
  return verdicts.every(Boolean);
}

function measure(workload: ImageWorkload, { rounds, scratch }: { rounds: number; scratch: string }): boolean {
  const samples = new Map<Contestant, Sample[]>(workload.contestants.map((contestant) => [contestant, []]));
  // Round 0 warms up and does not count. Each round begins with another contestant.
  for (let round = 0; round <= rounds; round += 1) {
    const order = workload.contestants.map((_, at, all) => all[(at + round) % all.length]!);
    for (const contestant of order) {
      const sample = runOnce(contestant, path.join(scratch, 'in'), path.join(scratch, 'out'));
      if (round > 0) samples.get(contestant)?.push(sample);
    }
  }
  return report(workload, samples);
}

function compare(workloads: readonly ImageWorkload[], args: readonly string[]): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const unknown = positionals.find((name) => !workloads.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new TypeError(`unknown workload '${unknown}' (see --list)`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds: '${values.rounds}' is not a number from 1 up`);
  const chosen = workloads.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (values.list === true) {
    for (const { name, title, contestants } of workloads)
      say(`${name.padEnd(16)} ${title} (${contestants.map((one) => one.name).join(', ')})`);
    return 0;
  }
  if (values.needs === true) {
    const packages = chosen.flatMap(({ contestants }) => contestants.flatMap((one) => one.packages ?? []));
    say([...new Set(['time', ...packages])].join('\n'));
    return 0;
  }
  const { processor, cpus, kernel, filesystem, loadAverage, commit } = describeMachine(values.scratch, []);
  say(`${processor}, ${String(cpus)} CPUs; ${kernel}; ${filesystem}; load ${loadAverage.toFixed(2)}; veneer ${commit}`);
  const met = chosen.map((workload) => measure(workload, { rounds, scratch: values.scratch }));
  return met.every(Boolean) ? 0 : 1;
}

/** Runs the workloads that the command line names, or lists what it asks for; `program` is what errors begin with. */
export function main(program: string, workloads: readonly ImageWorkload[]): void {
  try {
    process.exitCode = compare(workloads, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Failed)) throw error;
    process.stderr.write(`${program}: ${error.message}\n`);
    process.exitCode = error instanceof Failed ? 1 : 2;
  }
}
