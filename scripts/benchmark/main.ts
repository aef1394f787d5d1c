// The program behind scripts/bench.

import { bench, writeReports } from './bench.js';
import { BACKENDS } from './backends.js';
import { UsageError, parseCommandLine } from './command-line.js';
import type { Settings } from './command-line.js';
import { Failed } from './failure.js';
import { chartOf } from './report/chart.js';
import { tableOf } from './report/table.js';
import { failuresOf } from './result.js';
import { GROUPS } from './workload.js';
import { WORKLOADS } from './workloads/index.js';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function list(): void {
  for (const group of GROUPS) {
    say(`${group}:`);
    for (const { name, title } of WORKLOADS.filter((workload) => workload.group === group))
      say(`  ${name.padEnd(16)} ${title}`);
  }
  say('backends:');
  for (const { name, title } of BACKENDS) say(`  ${name.padEnd(16)} ${title}`);
  say('  veneer@DIR       the build of another checkout, to compare two');
  say('  veneer+OPTION    this build with a mount option, for instance veneer+volatile');
}

/** Debian packages that the workloads need, and the word `@debian-tree` if one of them wants that. */
function needs({ workloads, backends, quick }: Settings): string {
  const packages = workloads.flatMap((workload) => workload.packages ?? []);
  const peer = backends.some(({ name }) => name === 'fuse-overlayfs') ? ['fuse-overlayfs'] : [];
  const wantsRoot = workloads.some(
    ({ layers, input }) => layers.includes('root') || ['root-tar', 'quarters', 'deb'].includes(input ?? ''),
  );
  const tree = wantsRoot && !quick ? ['@debian-tree'] : [];
  const python = workloads.some(({ layers }) => layers.includes('python')) ? ['python3'] : [];
  return [...new Set([...packages, ...peer, ...python, ...tree])].join('\n');
}

function main(settings: Settings): number {
  if (settings.action === 'list') {
    list();
    return 0;
  }
  if (settings.action === 'needs') {
    say(needs(settings));
    return 0;
  }
  const report = bench(settings);
  writeReports(report, settings, chartOf);
  process.stdout.write(settings.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : tableOf(report));
  return failuresOf(report).length === 0 && report.workloads.length > 0 ? 0 : 1;
}

// Whoever reads the list, a pager, may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = main(parseCommandLine(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof Failed)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
