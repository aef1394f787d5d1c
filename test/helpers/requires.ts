// What a test needs from the machine. What is missing skips it, with the reason in its name; in CI it fails instead.

import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, mkdtempSync, mkdirSync, openSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  AT_FDCWD,
  MNT_DETACH,
  O_RDWR,
  O_TMPFILE,
  S_IFCHR,
  close,
  mknodat,
  mount,
  openat,
  setxattr,
  umount2,
} from '../../src/sys/index.js';

/** Each probe returns why the thing cannot be had, or undefined. */
const PROBES = {
  root: () => (process.getuid?.() === 0 ? undefined : 'not root'),
  fuse: () => unless('/dev/fuse cannot be opened', () => closeSync(openSync('/dev/fuse', 'r+'))),
  'kernel-overlay': () =>
    inScratch((dir) => {
      for (const name of ['l', 'u', 'w', 'm']) mkdirSync(path.join(dir, name));
      const data = `lowerdir=${dir}/l,upperdir=${dir}/u,workdir=${dir}/w,redirect_dir=on,index=on,metacopy=off`;
      const status = mount({ source: 'overlay', target: `${dir}/m`, type: 'overlay', flags: 0, data });
      if (status < 0) return `kernel overlayfs cannot be mounted (errno ${String(-status)})`;
      umount2(`${dir}/m`, MNT_DETACH);
      return undefined;
    }),
  mknod: () =>
    inScratch((dir) => (mknodat(AT_FDCWD, `${dir}/w`, S_IFCHR | 0o600, 0) < 0 ? 'mknod is refused' : undefined)),
  'trusted-xattr': () =>
    inScratch((dir) => (setxattr(dir, 'trusted.veneer', Buffer.from('y')) < 0 ? 'no trusted.* xattrs' : undefined)),
  tmpfile: () =>
    inScratch((dir) => {
      const fd = openat(AT_FDCWD, dir, O_TMPFILE | O_RDWR, 0o600);
      if (fd < 0) return 'no O_TMPFILE';
      close(fd);
      return undefined;
    }),
  build: () => (existsSync(DOOR) ? undefined : 'not built (npm run build)'),
  ext4: () => program('mkfs.ext4') ?? loopDevice(),
  xfs: () => program('mkfs.xfs') ?? loopDevice(),
  filefrag: () => program('filefrag'),
  su: () => program('su'),
  tar: () => program('tar'),
  dpkg: () => program('dpkg'),
  sqlite3: () => program('sqlite3'),
  skopeo: () => program('skopeo'),
  umoci: () => program('umoci'),
  busybox: () => program('busybox'),
  // Of runtimes, one is enough; crun is the one that is asked for first.
  containers: () => program('crun') ?? program('conmon'),
  seccomp: () => unless('no default seccomp profile', () => accessSync('/usr/share/containers/seccomp.json')),
  init: () => program('catatonit'),
  netavark: () =>
    unless('no netavark', () => accessSync('/usr/lib/podman/netavark', constants.X_OK)) ?? program('iptables'),
  pasta: () => program('pasta'),
  slirp4netns: () => program('slirp4netns'),
  newuidmap: () => program('newuidmap'),
  tmux: () => program('tmux'),
  podman: () => program('podman'),
  buildah: () => program('buildah'),
  'docker-registry': () => program('docker-registry'),
  openssl: () => program('openssl'),
  python3: () => program('python3'),
  git: () => program('git'),
  patch: () => program('patch'),
  acl: () => program('setfacl'),
  setpriv: () => program('setpriv'),
  gcc: () => program('gcc'),
  strace: () => program('strace'),
  fusermount3: () => program('fusermount3'),
  userns: () => (spawnSync('unshare', ['-Ur', 'true']).status === 0 ? undefined : 'no user namespaces'),
  'fuse-overlayfs': () => program('fuse-overlayfs'),
  'fuse-native': () => {
    const load = `(await import(${JSON.stringify(path.join(DOOR, '../../fuse-native/index.js'))})).loadFuseNative()`;
    const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', load]);
    return status === 0 ? undefined : 'the package fuse-native is not installed';
  },
} as const;

export type Requirement = keyof typeof PROBES;

/** The built overlay room: its servers are processes of their own, so they run from dist, or from another build. */
export const DOOR = path.resolve(
  import.meta.dirname,
  '../..',
  process.env['VENEER_TEST_DIST'] ?? 'dist',
  'overlay/index.js',
);

/** What the CI machine has; a skip for one of these there is a mistake of the machine, and an error. */
const CI_HAS: readonly Requirement[] = [
  'root',
  'fuse',
  'kernel-overlay',
  'mknod',
  'trusted-xattr',
  'tmpfile',
  'build',
  'su',
  'tar',
  'fuse-native',
  'skopeo',
  'umoci',
  'busybox',
  'containers',
  'seccomp',
  'init',
  'netavark',
  'pasta',
  'slirp4netns',
  'newuidmap',
  'tmux',
  'podman',
  'buildah',
  'docker-registry',
  'python3',
  'openssl',
  'git',
  'patch',
  'strace',
  'xfs',
];

function unless(reason: string, attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch {
    return reason;
  }
}

function inScratch(attempt: (dir: string) => string | undefined): string | undefined {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'veneer-probe-'));
  try {
    return attempt(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function program(name: string): string | undefined {
  const found = (process.env['PATH'] ?? '').split(':').some((dir) => {
    return unless('', () => accessSync(path.join(dir, name), constants.X_OK)) === undefined;
  });
  return found ? undefined : `no ${name} program`;
}

function loopDevice(): string | undefined {
  return unless('no loop devices', () => accessSync('/dev/loop-control', constants.R_OK | constants.W_OK));
}

const answers = new Map<Requirement, string | undefined>();

/** Why these cannot all be had, or undefined. Throws in CI for what CI has. */
export function missing(...requirements: readonly Requirement[]): string | undefined {
  for (const requirement of requirements) {
    if (!answers.has(requirement)) answers.set(requirement, PROBES[requirement]());
    const reason = answers.get(requirement);
    if (reason === undefined) continue;
    if (Boolean(process.env['CI']) && CI_HAS.includes(requirement))
      throw new Error(`CI must be able to run this: ${reason}`);
    return reason;
  }
  return undefined;
}

/** For `describe.skipIf(gate.skip)(gate.title('...'), ...)`. */
export function requires(...requirements: readonly Requirement[]): { skip: boolean; title(text: string): string } {
  const reason = missing(...requirements);
  return {
    skip: reason !== undefined,
    title: (text) => (reason === undefined ? text : `${text} (skipped: ${reason})`),
  };
}

/** Output of a program, for tests that need one to run to its end. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: { cwd?: string; input?: string } = {},
): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000, ...options });
}
