import type { Command } from 'commander';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { toJson, writeLine, writeRendered } from '../output.js';
import { withStore } from '../store.js';
import { compileTemplate } from '../template.js';

export function configure(command: Command): void {
  command
    .argument('<volume...>', 'names')
    .option('-f, --format <format>', "'json' (a list on one line), or a template such as '{{.Mountpoint}}'")
    .action(async (names: string[], { format }: { format?: string }) => {
      const render = format === undefined || format === 'json' ? undefined : compileTemplate(format);
      const found: object[] = [];
      await withStore(command, (store) =>
        forEachName(command, names, (name) => {
          const { created, labels } = store.volumes.get(name);
          const volume = {
            CreatedAt: created.toISOString(),
            Driver: 'local',
            Labels: labels,
            Mountpoint: store.volumes.path(name),
            Name: name,
            Options: {},
            Scope: 'local',
          };
          if (render === undefined) found.push(volume);
          else writeRendered(`${render(volume)}\n`);
          return Promise.resolve();
        }),
      );
      if (render === undefined) writeLine(toJson(found, format === 'json' ? undefined : 4));
    });
  addExamples(command, [
    ['veneer volume inspect data', 'all there is to know of a volume'],
    ["veneer volume inspect -f '{{.Mountpoint}}' data", 'where its files are'],
  ]);
}
