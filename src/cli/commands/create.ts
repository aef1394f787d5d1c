import type { Command } from 'commander';
import { collect, parseLabels } from '../arguments.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { addPullOptions } from '../pull-options.js';
import type { PullOptions } from '../pull-options.js';
import { withStore } from '../store.js';

interface Options extends PullOptions {
  readonly name?: string;
  readonly label?: string[];
  readonly env?: string[];
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [COMMAND] [ARG...]')
    .argument('<image>', 'its name or ID; pulled if it is not here; oci:DIR:TAG and the like are loaded')
    .argument('[command...]', "what to run instead of the image's command")
    .option('--name <name>', 'what to call the container (default: a made-up name)')
    .option('-l, --label <key=value>', 'a label (may be repeated)', collect)
    .option('-e, --env <key=value>', 'an environment variable (may be repeated)', collect)
    .option('-q, --quiet', 'no progress of a pull')
    .passThroughOptions();
  addPullOptions(command).action(async (image: string, words: string[], options: Options) => {
    const { name, label, env } = options;
    const { createContainer } = await import('../../container/index.js');
    const { presentImage } = await import('../pull-missing.js');
    await withStore(command, async (store) => {
      const container = createContainer(store, {
        image: await presentImage(store, image, options),
        ...(name === undefined ? {} : { name }),
        ...(label === undefined ? {} : { labels: parseLabels(label) }),
        ...(env === undefined ? {} : { env }),
        ...(words.length === 0 ? {} : { command: words }),
      });
      writeLine(container.id);
    });
  });
  addExamples(command, [
    ['veneer create --name work debian:12', 'a container, not yet mounted; prints its ID'],
    ['cd $(veneer mount $(veneer create debian:12))', 'make one and go there'],
    ['veneer create --pull always --platform linux/arm64 debian:12', 'of the newest, for another machine'],
    ['veneer create --pull never debian:12', 'of what is here, or not at all'],
  ]);
}
