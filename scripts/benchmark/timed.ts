// The timed part. A fresh bash reads the clock, runs the script, and reads the clock again: nothing of ours runs meanwhile,
// and no process start of ours is in the time.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Failed } from './failure.js';
import { script } from './shell.js';
import type { Environment } from './shell.js';

export interface Timed {
  readonly text: string;
  readonly tools: string | undefined;
  readonly repeat: number;
  readonly clock: 'fio' | undefined;
  readonly cwd: string;
  readonly env: Environment;
  /** For what the script leaves behind; also $OUT. */
  readonly out: string;
}

/** One number of fio's report: seconds of both directions, without start-up. */
function fioSeconds(file: string): number {
  if (!existsSync(file)) throw new Failed('fio left no report');
  const report = JSON.parse(readFileSync(file, 'utf8')) as {
    jobs?: { read?: { runtime?: number }; write?: { runtime?: number } }[];
  };
  const job = report.jobs?.[0];
  return ((job?.read?.runtime ?? 0) + (job?.write?.runtime ?? 0)) / 1000;
}

/** Runs it; returns seconds for one repetition. Throws Failed. */
export function runTimed({ text, tools, repeat, clock, cwd, env, out }: Timed): number {
  // $EPOCHREALTIME is read by the shell itself, in microseconds, without a process.
  const wrapped = `
work() {
${text}
}
times=${String(repeat)}
${tools ?? ':'}
began=$EPOCHREALTIME
while ((times > 0)); do
  work
  times=$((times - 1))
done
printf '%s %s\\n' "$began" "$EPOCHREALTIME" >"$OUT/.clock"`;
  const file = path.join(out, '.clock');
  script(wrapped, { cwd, env: { ...env, OUT: out } });
  if (!existsSync(file)) throw new Failed('the script ended early');
  if (clock === 'fio') return fioSeconds(path.join(out, 'fio.json')) / repeat;
  const [began = NaN, ended = NaN] = readFileSync(file, 'utf8').split(' ').map(Number);
  return (ended - began) / repeat;
}
