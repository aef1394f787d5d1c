// The program behind scripts/bench-images: images made, saved and committed by veneer and by others, in interleaved runs.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Failed } from '../failure.js';
import { describeMachine } from '../machine.js';
import { script } from '../shell.js';
import { summarize } from '../statistics.js';
import { IMAGE_WORKLOADS } from './workloads.js';
import type { Contestant, ImageWorkload } from './workloads.js';

const PROGRAM = path.resolve(import.meta.dirname, '../../../dist/program/veneer.cjs');

const OPTIONS = {
  list: { type: 'boolean' },
  needs: { type: 'boolean' },
  rounds: { type: 'string', default: '5' },
  scratch: { type: 'string', default: '' },
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Seconds of one run, each in an empty directory. Throws Failed. */
function timeOf({ before = '', run }: Contestant, inputs: string, out: string): number {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const text = `veneer() { node '${PROGRAM}' "$@"; }
${before}
began=$EPOCHREALTIME
{ ${run}
} >/dev/null
printf '%s %s\\n' "$began" "$EPOCHREALTIME" >"$OUT/.clock"
veneer umount --all >/dev/null 2>&1 || true`;
  script(text, { env: { IN: inputs, OUT: out, VENEER_ROOT: path.join(out, 'store') }, cwd: out });
  const [began = NaN, ended = NaN] = readFileSync(path.join(out, '.clock'), 'utf8').split(' ').map(Number);
  return ended - began;
}

/** Prints medians, spread, and veneer's ratio to each; true where the target was met or there is none. */
function report(workload: ImageWorkload, samples: ReadonlyMap<Contestant, readonly number[]>): boolean {
  say(`\n${workload.name}: ${workload.title}`);
  const medians = new Map([...samples].map(([{ name }, seconds]) => [name, summarize(seconds)]));
  const own = medians.get(workload.contestants[0].name)?.median ?? NaN;
  for (const [name, { median, mad, min, max }] of medians) {
    const spread = `+-${((100 * mad) / median).toFixed(0)}%`;
    const range = `${min.toFixed(3)}..${max.toFixed(3)}`;
    const ratio = name === workload.contestants[0].name ? '' : `   veneer/${name}: ${(own / median).toFixed(2)}`;
    say(`  ${name.padEnd(20)} ${median.toFixed(3)} s ${spread.padEnd(6)} ${range}${ratio}`);
  }
  if (workload.target === undefined) return true;
  const { against, limit } = workload.target;
  const met = own / (medians.get(against)?.median ?? NaN) <= limit;
  say(`  target: at most ${String(limit)} of ${against}: ${met ? 'met' : 'MISSED'}`);
  return met;
}

function measure(workload: ImageWorkload, { rounds, scratch }: { rounds: number; scratch: string }): boolean {
  const samples = new Map<Contestant, number[]>(workload.contestants.map((contestant) => [contestant, []]));
  // Round 0 warms up and does not count. Each round begins with another contestant.
  for (let round = 0; round <= rounds; round += 1) {
    const order = workload.contestants.map((_, at, all) => all[(at + round) % all.length]!);
    for (const contestant of order) {
      const seconds = timeOf(contestant, path.join(scratch, 'in'), path.join(scratch, 'out'));
      if (round > 0) samples.get(contestant)?.push(seconds);
    }
  }
  return report(workload, samples);
}

function main(args: readonly string[]): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const unknown = positionals.find((name) => !IMAGE_WORKLOADS.some((workload) => workload.name === name));
  if (unknown !== undefined) throw new TypeError(`unknown workload '${unknown}' (see --list)`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds: '${values.rounds}' is not a number from 1 up`);
  const chosen = IMAGE_WORKLOADS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  if (values.list === true) {
    for (const { name, title, contestants } of IMAGE_WORKLOADS)
      say(`${name.padEnd(16)} ${title} (${contestants.map((one) => one.name).join(', ')})`);
    return 0;
  }
  if (values.needs === true) {
    say(
      [...new Set(chosen.flatMap(({ contestants }) => contestants.flatMap(({ packages = [] }) => packages)))].join(
        '\n',
      ),
    );
    return 0;
  }
  const { processor, cpus, kernel, filesystem, loadAverage, commit } = describeMachine(values.scratch, []);
  say(`${processor}, ${String(cpus)} CPUs; ${kernel}; ${filesystem}; load ${loadAverage.toFixed(2)}; veneer ${commit}`);
  const met = chosen.map((workload) => measure(workload, { rounds, scratch: values.scratch }));
  return met.every(Boolean) ? 0 : 1;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof TypeError) && !(error instanceof Failed)) throw error;
  process.stderr.write(`bench-images: ${error.message}\n`);
  process.exitCode = error instanceof Failed ? 1 : 2;
}
