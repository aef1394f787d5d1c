import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';
import { compileTemplate } from '../template.js';

interface Options {
  readonly type?: string;
  readonly format?: string;
}

export function configure(command: Command): void {
  const group = command.parent?.name();
  command
    .argument('<name...>', 'containers or images: names or IDs; a container comes first')
    .option('--type <type>', 'only this kind: container or image')
    .option('-f, --format <format>', "'json' (an object a line), or a template such as '{{.Config.Cmd}}'")
    .action(async (names: string[], { type, format }: Options) => {
      if (type !== undefined && type !== 'image' && type !== 'container') {
        throw new VeneerError('usage', `inspect: unknown type '${type}'`, { hint: "'container' or 'image'" });
      }
      const wanted = type ?? (group === 'image' || group === 'container' ? group : undefined);
      const render = format === undefined || format === 'json' ? JSON.stringify : compileTemplate(format);
      const { inspect } = await import('../inspection.js');
      await withStore(command, async (store) => {
        const found: object[] = [];
        await forEachName(command, names, (name) => {
          const description = inspect(store, name, wanted);
          if (format === undefined) found.push(description);
          else writeLine(render(description));
        });
        if (format === undefined) writeLine(JSON.stringify(found, undefined, 4));
      });
    });
  addExamples(command, [
    ['veneer inspect work', 'a container: its layers, directories and command'],
    ["veneer inspect -f '{{json .RootFS.Layers}}' base:v2", "an image's diffIDs"],
    ['veneer image inspect base', 'an image, even if a container has that name'],
  ]);
}
