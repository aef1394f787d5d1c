// All rounds of one workload: in each, every backend once, in an order that rotates.

import type { Backend } from './backends.js';
import { Failed } from './failure.js';
import type { BackendResult } from './result.js';
import { runOnce } from './run-once.js';
import type { RunOptions, Sample } from './run-once.js';
import { quantile, summarize } from './statistics.js';

export interface Rounds extends Omit<RunOptions, 'backend' | 'verify'> {
  readonly backends: readonly Backend[];
  /** The plain directory: what it says is right. It takes part in the warm-up round, asked for or not. */
  readonly reference: Backend;
  readonly rounds: number;
  readonly progress: (line: string) => void;
}

const rotate = <T>(list: readonly T[], by: number): T[] => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length),
];

/** The first line that two answers do not share, for a message. */
function difference(right: string, given: string): string {
  const expected = right.split('\n');
  const lines = given.split('\n');
  const at = expected.findIndex((line, index) => line !== lines[index]);
  const index = at === -1 ? expected.length : at;
  const show = (line: string | undefined): string => (line === undefined ? 'nothing' : `'${line.slice(0, 160)}'`);
  return `the check found ${show(lines[index])} where ${show(expected[index])} is right (${String(lines.length)} lines, ${String(expected.length)} are right)`;
}

function compare(right: Sample, sample: Sample): void {
  if (sample.checked !== right.checked) throw new Failed(difference(right.checked, sample.checked));
  if (sample.verified !== undefined && sample.verified !== right.verified)
    throw new Failed(`after a new mount ${difference(right.verified ?? '', sample.verified)}`);
}

/** Round 0 warms up and is not counted. A backend that fails once is out. Throws Failed if the plain directory fails. */
export function runWorkload({ backends, reference, rounds, progress, ...common }: Rounds): BackendResult[] {
  const samples = new Map<Backend, Sample[]>(backends.map((backend) => [backend, []]));
  const failures = new Map<Backend, string>();
  const first = [reference, ...backends.filter((backend) => backend !== reference)];
  let right: Sample | undefined;
  for (let round = 0; round <= rounds; round += 1) {
    for (const backend of round === 0 ? first : rotate(backends, round)) {
      if (failures.has(backend)) continue;
      try {
        const sample = runOnce({ ...common, backend, verify: round === 0 });
        right ??= sample;
        compare(right, sample);
        if (round > 0) samples.get(backend)?.push(sample);
        const label = round === 0 ? 'warm-up' : `round ${String(round)}/${String(rounds)}`;
        progress(`${common.workload.name}: ${label}: ${backend.name}: ${sample.seconds.toFixed(4)} s`);
      } catch (error) {
        if (!(error instanceof Failed)) throw error;
        if (backend === reference) throw new Failed(`the plain directory fails: ${error.message}`);
        failures.set(backend, error.message);
        progress(`${common.workload.name}: ${backend.name} FAILED: ${error.message}`);
      }
    }
  }
  return backends.map((backend) => {
    const reason = failures.get(backend);
    return reason === undefined ? summary(backend, samples.get(backend) ?? []) : failed(backend, reason);
  });
}

const failed = ({ name }: Backend, reason: string): BackendResult => ({ backend: name, status: 'failed', reason });

function summary({ name }: Backend, samples: readonly Sample[]): BackendResult {
  const seconds = samples.map((sample) => sample.seconds);
  const server = samples.flatMap(({ serverSeconds }) => (serverSeconds === undefined ? [] : [serverSeconds]));
  return {
    backend: name,
    status: 'ok',
    samples: seconds,
    seconds: summarize(seconds),
    ...(server.length === 0 ? {} : { serverSeconds: quantile(server, 0.5) }),
  };
}
