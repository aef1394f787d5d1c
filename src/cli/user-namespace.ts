// Where a plain user's commands run: in a user namespace of his, where files and processes of containers have owners.

import { VeneerError } from '../core/index.js';
import { hideCertificates } from './certificates.js';
import { report } from './failure.js';
import { findCommand, leadingWords } from './names.js';
import type { CommandName } from './names.js';

/**
 * Makes a command of a plain user run in his namespaces, in which case this process becomes that and nothing comes back. True
 * where it is to go on here: for root, for what has to do neither with containers nor with their files, and for users who cannot have
 * namespaces. False where it has been refused.
 */
export async function enterUserNamespace(args: readonly string[]): Promise<boolean> {
  const isPlainUser = process.geteuid?.() !== 0;
  if (!isPlainUser && process.env['VENEER_ENTERED_FROM'] === undefined) return true;
  const { namespaceObstacle, returnToDirectory, runInNamespace } = await import('../rootless/index.js');
  const hasEntered = returnToDirectory();
  if (!isPlainUser || hasEntered) return true;
  const words = leadingWords(args);
  const command: CommandName | undefined = findCommand(words)?.command;
  if (command === undefined || command.namespace === 'outside' || args.includes('--help')) return true;
  try {
    // What containers need, those say that need it.
    if (namespaceObstacle() !== undefined) return true;
    if (command.namespace === 'inside') refuseOutside(command.name, args);
    hideCertificates();
    return await runInNamespace();
  } catch (error) {
    const code = report(error, { usage: `veneer ${command.name}`, debug: args.includes('--debug') });
    process.exitCode = command.failsWith ?? code;
    return false;
  }
}

function refuseOutside(name: string, args: readonly string[]): void {
  // A list of what is mounted is of use to anybody.
  if (args.filter((arg) => !arg.startsWith('-')).length < 2) return;
  throw new VeneerError('permission', `${name}: what a user mounts is seen in his own namespaces only`, {
    hint: `'veneer unshare' starts a shell there: veneer unshare sh -c 'cd "$(veneer ${args.join(' ')})" && ls'`,
  });
}
