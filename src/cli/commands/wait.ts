import { Option } from 'commander';
import type { Command } from 'commander';
import type { WaitCondition } from '../../container/index.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

const CONDITIONS = [
  'not-running',
  'next-exit',
  'removed',
  'running',
  'paused',
  'healthy',
  'unhealthy',
] as const satisfies readonly WaitCondition[];

/** podman's words for the first one. */
const SYNONYMS = ['stopped', 'exited'];

export function configure(command: Command): void {
  const condition = new Option('--condition <condition>', 'what to wait for')
    .choices([...CONDITIONS, ...SYNONYMS])
    .default('not-running');
  command
    .argument('<container...>', 'names or IDs')
    .addOption(condition)
    .addHelpText(
      'after',
      `
Prints the exit code of each; -1 where it was to be running, paused, healthy or unhealthy. One that its restart policy starts again has not ended.`,
    )
    .action(async (names: string[], options: { condition: string }) => {
      const { waitContainer } = await import('../../container/index.js');
      const wanted = CONDITIONS.find((it) => it === options.condition) ?? 'not-running';
      await withStore(command, async (store) => {
        // All of them at once: the second may be removed when the first ends.
        const waits = new Map(names.map((name) => [name, waitContainer(store, name, { condition: wanted })]));
        for (const one of waits.values()) one.catch(() => undefined);
        await forEachName(command, names, async (name) => {
          writeLine(String(await waits.get(name)));
        });
      });
    });
  addExamples(command, [
    ['veneer wait web', 'until it has ended; prints its exit code'],
    ['veneer wait --condition removed web', 'until it is gone'],
    ['veneer wait --condition healthy web', 'until its health checks say so'],
  ]);
}
