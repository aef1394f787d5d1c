import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { addAttachOptions, attachOptions } from '../attach-options.js';
import type { AttachFlags } from '../attach-options.js';
import { CidFile } from '../cid-file.js';
import { headStart } from '../context.js';
import { requireTerminal } from '../container-streams.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { addPullOptions } from '../pull-options.js';
import type { PullOptions } from '../pull-options.js';
import { addRunOptions, takesImage } from '../run-options.js';
import type { RunOptions } from '../run-options.js';
import { withStore } from '../store.js';
import { warn } from '../warn.js';

type Options = PullOptions & RunOptions & AttachFlags & { readonly detach?: true };

export function configure(command: Command): void {
  addRunOptions(takesImage(command))
    .option('-d, --detach', 'let it run by itself, and print its ID')
    .option('-q, --quiet', 'no progress of a pull');
  addAttachOptions(command);
  addPullOptions(command).action(async (image: string, words: string[], options: Options) => {
    const { detach = false, attach = [] } = options;
    if (detach && attach.length > 0) {
      throw new VeneerError('usage', '--detach contradicts --attach: nobody is attached to what runs by itself');
    }
    const attached = attachOptions(options);
    const head = headStart();
    const { parseRunOptions } = await import('../run-request.js');
    const request = parseRunOptions(options, words, { detached: detach });
    const streams = request.attach ?? { stdin: false, stdout: !detach, stderr: !detach };
    if (!detach) requireTerminal({ tty: options.tty === true, stdin: streams.stdin });
    const { createContainer, startContainer } = await import('../../container/index.js');
    const { presentImage } = await import('../pull-missing.js');
    using cidFile = new CidFile(options.cidfile);
    await withStore(command, async (store) => {
      const found = await presentImage(store, image, options);
      const { id } = createContainer(store, { ...request, toRun: true, ...(head && { id: head.id }), image: found });
      cidFile.write(id);
      if (detach) {
        await startContainer(store, id, { server: head?.server, onWarning: warn });
        writeLine(id);
        return;
      }
      const { runForeground } = await import('../run-foreground.js');
      process.exitCode = await runForeground(store, id, { ...attached, streams, server: head?.server });
    });
  });
  addExamples(command, [
    ['veneer run -it debian:12', 'a shell in a new container'],
    ['veneer run --rm debian:12 cat /etc/os-release', 'one command, and nothing is left'],
    ['veneer run -d --name web -p 8080:80 nginx', 'a server that runs by itself'],
    ['veneer run -it --rm -v .:/src -w /src node:22 npm test', 'with a directory of the host'],
    ['tar c . | veneer run -i --rm debian:12 tar t', 'in a pipe'],
  ]);
}
