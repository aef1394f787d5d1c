import type { Command } from 'commander';
import { collect } from '../arguments.js';
import { addAttachOptions, attachOptions } from '../attach-options.js';
import type { AttachFlags } from '../attach-options.js';
import { requireTerminal } from '../container-streams.js';
import { readEnv } from '../env-files.js';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

interface Options extends AttachFlags {
  readonly detach?: true;
  readonly interactive?: true;
  readonly tty?: true;
  readonly env?: string[];
  readonly envFile?: string[];
  readonly user?: string;
  readonly workdir?: string;
  readonly privileged?: true;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] CONTAINER COMMAND [ARG...]')
    .argument('<container>', 'its name or ID')
    .argument('<command...>', 'what to run in it')
    .option('-i, --interactive', 'pass standard input on to it')
    .option('-t, --tty', 'give it a terminal')
    .option('-d, --detach', 'let it run by itself; what it writes is lost')
    .option('-e, --env <name[=value]>', 'an environment variable (may be repeated)', collect)
    .option('--env-file <file>', 'variables, one a line (may be repeated)', collect)
    .option('-u, --user <user>', 'NAME|UID[:GROUP|GID]')
    .option('-w, --workdir <dir>', 'the directory to run it in')
    .option('--privileged', 'with all capabilities')
    .passThroughOptions();
  addAttachOptions(command, { sigProxy: false }).action(async (name: string, words: string[], options: Options) => {
    const { detach = false, tty = false, interactive = false, user, workdir, privileged } = options;
    const { detachKeys } = attachOptions(options);
    if (!detach) requireTerminal({ tty, stdin: interactive });
    const env = readEnv(options);
    const { execInContainer } = await import('../exec-in-container.js');
    await withStore(command, async (store) => {
      process.exitCode = await execInContainer(store, name, {
        command: words,
        terminal: tty,
        stdin: interactive && !detach,
        detached: detach,
        detachKeys,
        ...(env.length === 0 ? {} : { env }),
        ...(user === undefined ? {} : { user }),
        ...(workdir === undefined ? {} : { cwd: workdir }),
        ...(privileged === undefined ? {} : { privileged }),
      });
    });
  });
  addExamples(command, [
    ['veneer exec -it web sh', 'a shell in a running container'],
    ['veneer exec -u postgres db psql -l', 'one command, as a user of its own'],
    ['veneer exec -i db psql <dump.sql', 'in a pipe'],
  ]);
}
