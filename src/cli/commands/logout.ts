import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { DOCKER_HUB, parseRegistryName, shownRegistry } from '../registry-name.js';
import { credentialStoreOf } from '../registry.js';

interface Options {
  readonly all?: true;
  readonly authfile?: string;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [REGISTRY]')
    .argument('[registry]', `HOST[:PORT], or HOST/NAMESPACE as it was logged in to (default: ${DOCKER_HUB})`)
    .option('-a, --all', 'of all registries')
    .option('--authfile <file>', 'where credentials are kept (REGISTRY_AUTH_FILE)')
    .action(async (text: string | undefined, { all, authfile }: Options) => {
      if (all === true && text !== undefined)
        throw new VeneerError('usage', 'logout: --all is for all registries: name none');
      const name = parseRegistryName(text ?? DOCKER_HUB);
      const store = await credentialStoreOf(authfile === undefined ? {} : { authfile });
      const where = all === true ? await store.eraseAll() : await store.erase(name);
      const shown = all === true ? 'all registries' : shownRegistry(name);
      if (where.length > 0) writeLine(`Removed login credentials for ${shown}`);
      else writeLine(all === true ? 'Not logged in to any registry' : `Not logged in to ${shown}`);
    });
  command.addHelpText(
    'after',
    `
Credentials go from all files and helpers in which they would be found, those that docker, podman or skopeo have kept
included; with --authfile or REGISTRY_AUTH_FILE, from that file alone.`,
  );
  addExamples(command, [
    ['veneer logout', 'of Docker Hub'],
    ['veneer logout registry.example.com', 'of another registry'],
    ['veneer logout --all', 'of all'],
  ]);
}
