import type { Command } from 'commander';
import { CidFile } from '../cid-file.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { addPullOptions } from '../pull-options.js';
import type { PullOptions } from '../pull-options.js';
import { addRunOptions, takesImage } from '../run-options.js';
import type { RunOptions } from '../run-options.js';
import { withStore } from '../store.js';

type Options = PullOptions & RunOptions;

export function configure(command: Command): void {
  addRunOptions(takesImage(command)).option('-q, --quiet', 'no progress of a pull');
  addPullOptions(command).action(async (image: string, words: string[], options: Options) => {
    const { parseRunOptions } = await import('../run-request.js');
    const request = parseRunOptions(options, words);
    const { createContainer } = await import('../../container/index.js');
    const { presentImage } = await import('../pull-missing.js');
    using cidFile = new CidFile(options.cidfile);
    await withStore(command, async (store) => {
      const container = createContainer(store, { ...request, image: await presentImage(store, image, options) });
      cidFile.write(container.id);
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
