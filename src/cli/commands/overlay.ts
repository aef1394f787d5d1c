// `veneer overlay`: the file system alone. Not a command of commander: its command line is fuse-overlayfs's.

import type { Command } from 'commander';
import { EXIT_FAILURE, EXIT_USAGE, report } from '../failure.js';
import type { MountInvocation } from '../invocation.js';
import { parseOverlayArgs } from '../overlay-args.js';
import type { OverlayCommand } from '../overlay-args.js';
import { versionLine } from '../version.js';

const HELP = `Usage: veneer overlay [-f] [-d] -o lowerdir=A:B[,upperdir=U,workdir=W] MOUNTPOINT

Mount directories as one, as fuse-overlayfs does: the lower ones, top first, are only read; what changes goes to the
upper one. Without an upper the mount is read-only. The command returns when the mount answers; its server ends with it.

Options:
  -o LIST               options, comma-separated; may be repeated:
     lowerdir=A:B:C     read-only directories, top first ('\\:' is a colon in a name, '\\,' a comma)
     lowerdir+=DIR      one more below those before
     upperdir=DIR       where changes go
     workdir=DIR        an empty directory on the same file system as upperdir
     ro                 read-only, whatever else is given
     nodev,nosuid,noexec
                        as for mount(8)
     userxattr          mark changes with user.overlay.* attributes, as overlayfs does for users
     volatile           never sync: fast, and worthless after a crash
     timeout=SECONDS    how long names and attributes are cached (default: for ever)
     noacl              no POSIX ACLs
  -f                    stay in the foreground
  -d, --debug           the same, and log every request
  -V, --version         print the version
  -h, --help            show help

Unknown options are passed over with a line on stderr. A first argument that is no option and no mount point (the
"source" that mount programs pass) is what the mount table shows as the source.

Examples:
  $ veneer overlay -o lowerdir=/layers/top:/layers/base /mnt
  $ veneer overlay -o lowerdir=base,upperdir=changes,workdir=work merged
  $ mount -t fuse.veneer overlay /mnt -o lowerdir=/a:/b,upperdir=/u,workdir=/w
  $ veneer umount /mnt
`;

async function mount(command: Extract<OverlayCommand, { kind: 'mount' }>): Promise<void> {
  const { request, foreground, verbose, warnings } = command;
  for (const warning of warnings) process.stderr.write(`veneer: overlay: ${warning}\n`);
  if (verbose) process.env['VENEER_LOG_LEVEL'] ??= 'debug';
  const { serveOverlay, startOverlay } = await import('../../overlay/index.js');
  if (foreground) await serveOverlay(request);
  else await startOverlay(request);
}

/** mount(8)'s codes, "incorrect invocation" and "mount failure", which a helper hands through. */
const HELPER_CODES: Readonly<Record<number, number>> = { [EXIT_USAGE]: 1, [EXIT_FAILURE]: 32 };

/** Runs an overlay command line and sets `process.exitCode`. */
export async function runOverlay(invocation: MountInvocation): Promise<void> {
  try {
    const command = parseOverlayArgs(invocation);
    switch (command.kind) {
      case 'help':
        process.stdout.write(HELP);
        return;
      case 'version':
        process.stdout.write(`${versionLine()}\n`);
        return;
      case 'fake':
        return;
      case 'mount':
        await mount(command);
    }
  } catch (error) {
    const debug = invocation.args.some((arg) => arg === '-d' || arg === '--debug');
    const code = report(error, { usage: 'veneer overlay', debug });
    process.exitCode = invocation.helper ? (HELPER_CODES[code] ?? code) : code;
  }
}

/** For `veneer help overlay` and `veneer --debug overlay ...`, which come by way of the command table. */
export function configure(command: Command): void {
  command
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[args...]')
    .action((args: string[]) => runOverlay({ args, helper: false }));
}
