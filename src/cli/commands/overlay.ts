// `veneer overlay`: the file system alone. Not a command of commander: its command line is fuse-overlayfs's.

import type { Command } from 'commander';
import { serveOverlay, startOverlay } from '../../overlay/start.js';
import { leaveQuietlyOnBrokenPipe } from '../broken-pipe.js';
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
     volatile           never sync: fast, and worthless after a crash, when the next mount is refused
     timeout=SECONDS    how long names and attributes are cached (default: for ever)
     passthrough=all|off
                        read small files and read-only mounts past the server, too, so that mounts share the pages
                        of their layers in memory; or read and write everything through the server
     noacl              POSIX ACLs do not count
     redirect_dir=off   a directory with lower contents cannot be renamed (EXDEV): for layers others are to read
     uidmapping=DISK:SHOWN:LENGTH[:DISK:SHOWN:LENGTH...]
                        show users DISK and up as SHOWN and up, and write them back so; others show as 65534, and
                        chown to them fails (EINVAL). ACLs, too
     gidmapping=...     the same for groups
     squash_to_root     show every file as root's; squash_to_uid=ID, squash_to_gid=ID: as theirs
     xattr_permissions=1|2
                        keep owners, modes and devices in an attribute, for who may not chown or mknod: 1 in
                        security.fuseoverlayfs.override_stat, 2 in user.containers.override_stat
     static_nlink       show a link count of 1 for every directory
     metacopy=on        copy only the attributes of a file as long as nothing else of it changes; whoever mounts the
                        upper directory later has to say so, too
     low_latency=off    let idle processors sleep as deeply as they like while requests come quickly: slower, and cooler
     xino=,index=       accepted: inode numbers are unique and stay, hard links are kept, in any case
  --transport fuse-native, -o transport=fuse-native
                        speak to the kernel through the npm package fuse-native and libfuse 2, for comparison: slower, and for
                        the user who mounts alone (see native-notes/transports.md)
  -f                    stay in the foreground
  -d, --debug           the same, and log every request
  -V, --version         print the version
  -h, --help            show help

A user who may not mount does so through fusermount3, if it is installed; others are let in if /etc/fuse.conf has the line
user_allow_other. Un-mount with 'veneer umount' or 'fusermount3 -u'.

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
  if (foreground) await serveOverlay(request);
  else await startOverlay(request);
}

/** mount(8)'s codes, "incorrect invocation" and "mount failure", which a helper hands through. */
const HELPER_CODES: Readonly<Record<number, number>> = { [EXIT_USAGE]: 1, [EXIT_FAILURE]: 32 };

/** Runs an overlay command line and sets `process.exitCode`. */
export async function runOverlay(invocation: MountInvocation): Promise<void> {
  try {
    const command = parseOverlayArgs(invocation);
    if (command.kind !== 'mount') leaveQuietlyOnBrokenPipe();
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
