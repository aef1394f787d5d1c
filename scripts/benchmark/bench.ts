// Runs what was asked for and reports. scripts/bench calls this, with a scratch directory that it removes.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { backendOf, probe } from './backends.js';
import type { Backend } from './backends.js';
import type { Settings } from './command-line.js';
import { Unavailable } from './failure.js';
import { Fixtures } from './fixtures/fixtures.js';
import { judge, ratiosOf } from './judge.js';
import { describeMachine } from './machine.js';
import type { LeftOut, Report, WorkloadResult } from './result.js';
import { makeStage, removeStage } from './run-once.js';
import { runWorkload } from './run-workload.js';
import { FULL, QUICK } from './workload.js';
import type { Workload } from './workload.js';

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

/** Those that can mount an empty layer. */
function usable(settings: Settings, leftOut: LeftOut[]): Backend[] {
  const lower = path.join(settings.scratch, 'probe');
  mkdirSync(lower);
  return settings.backends.filter((backend) => {
    const stage = makeStage(settings.scratch, [lower], { readOnly: false, writes: true });
    try {
      probe(backend, stage);
      return true;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      leftOut.push({ name: backend.name, reason: error.message });
      return false;
    } finally {
      removeStage(stage);
    }
  });
}

/** Runs everything. What cannot run here is left out; what fails is in the report. */
export function bench(settings: Settings): Report {
  const { scratch, rounds, quick, debianTar } = settings;
  const leftOut = { backends: [] as LeftOut[], workloads: [] as LeftOut[] };
  const backends = usable(settings, leftOut.backends);
  const names = backends.map(({ name }) => name);
  const machine = describeMachine(scratch, backends);
  const sizes = quick ? QUICK : FULL;
  const dir = path.join(scratch, 'made');
  mkdirSync(dir);
  const fixtures = new Fixtures({ dir, sizes, quick, debianTar });
  const sizeVariables = Object.fromEntries(Object.entries(sizes).map(([name, value]) => [name, String(value)]));
  // Settings of the user's, of git for instance, would be measured, too.
  const env = { ...sizeVariables, HOME: dir, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  const reference = backendOf('host')!;
  const one = (workload: Workload): WorkloadResult | undefined => {
    try {
      const lowers = fixtures.layers(workload.layers);
      const input = workload.input === undefined ? {} : { IN: fixtures.input(workload.input) };
      const common = { workload, lowers, scratch, env: { ...env, ...input } };
      const results = runWorkload({ ...common, backends, reference, rounds, progress });
      const { name, title, group } = workload;
      return { name, title, group, results, ratios: ratiosOf({ results }), targets: [] };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      leftOut.workloads.push({ name: workload.name, reason: error.message });
      return undefined;
    }
  };
  const found = backends.length === 0 ? [] : settings.workloads.flatMap((workload) => one(workload) ?? []);
  const targetsOf = (name: string): Workload['targets'] =>
    settings.workloads.find((workload) => workload.name === name)?.targets ?? [];
  return {
    format: 1,
    date: new Date().toISOString(),
    machine,
    settings: { rounds, quick, backends: names, tree: treeOf(settings) },
    leftOut,
    workloads: judge(found, targetsOf),
  };
}

function treeOf({ quick, debianTar }: Settings): string {
  if (quick) return 'a small generated one';
  return debianTar === undefined ? 'generated, with the statistics of Debian bookworm' : 'Debian bookworm, minbase';
}

/** Writes the files that were asked for. */
export function writeReports(report: Report, settings: Settings, chart: (report: Report) => string): void {
  if (settings.jsonFile !== undefined) writeFileSync(settings.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  if (settings.plotFile !== undefined) writeFileSync(settings.plotFile, chart(report));
}
