import type { Command } from 'commander';
import { collect, sourceDateEpoch } from '../arguments.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { Progress } from '../progress.js';
import { withStore } from '../store.js';

interface Options {
  readonly message?: string;
  readonly author?: string;
  readonly change?: string[];
  readonly quiet?: true;
}

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .argument('[name]', 'what to call the image: REPOSITORY[:TAG]')
    .option('-m, --message <text>', "a comment in the image's history")
    .option('-a, --author <name>', 'who made it: "Jane Doe <jane@example.org>"')
    .option('-c, --change <instruction>', 'a Dockerfile instruction to apply (may be repeated)', collect)
    .option('-q, --quiet', 'no progress')
    .action(async (container: string, name: string | undefined, options: Options) => {
      const { commitContainer } = await import('../../container/index.js');
      const { message, author, change, quiet } = options;
      const progress = new Progress({ label: 'committing' });
      await withStore(command, async (store) => {
        const image = await commitContainer(store, container, {
          ...(name === undefined ? {} : { reference: name }),
          ...(message === undefined ? {} : { message }),
          ...(author === undefined ? {} : { author }),
          changes: change ?? [],
          ...sourceDateEpoch(),
          onProgress: ({ bytes }) => {
            if (quiet !== true) progress.update(bytes);
          },
        }).finally(() => progress.end());
        writeLine(image.id);
      });
    });
  addExamples(command, [
    ['veneer commit work base:v2', "the container's changes as a new layer"],
    ['veneer commit -m "add nginx" -a "Jane Doe" work base:v2', 'with an entry in the history'],
    ['veneer commit -c \'CMD ["nginx"]\' -c "EXPOSE 80" work web', 'with another configuration'],
  ]);
}
