// The file systems that are compared. Each shows layers at a mount point; what they share is in `Stage`.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Failed, Unavailable } from './failure.js';
import { mountsBelow, serversOf } from './mount-table.js';
import { firstLine, has, run } from './shell.js';

/** Directories of one run. */
export interface Stage {
  /** The scratch directory, above all others. */
  readonly scratch: string;
  /** Top first. Never written to. */
  readonly lowers: readonly string[];
  /** Absent in a read-only run. */
  readonly upper?: string;
  readonly work: string;
  readonly mountpoint: string;
  /** Whether the workload changes files. */
  readonly writes: boolean;
}

export interface Backend {
  readonly name: string;
  readonly title: string;
  /** Why it cannot be had here, or undefined. */
  unavailable(): string | undefined;
  /** Shows the layers; returns where. Called again after `unmount` it shows what was written before. */
  mount(stage: Stage): string;
  readonly version?: () => string | undefined;
  /** Does none of the timed work. */
  readonly idle?: true;
}

const PROJECT = path.resolve(import.meta.dirname, '../..');

/** For option lists: no names of ours contain a comma or a colon, since the scratch directory's name is refused if it does. */
function layerOptions(stage: Stage, nameOf: (dir: string) => string): string {
  const lowerdir = `lowerdir=${stage.lowers.map(nameOf).join(':')}`;
  if (stage.upper === undefined) return lowerdir;
  return `${lowerdir},upperdir=${nameOf(stage.upper)},workdir=${nameOf(stage.work)}`;
}

/** The merged tree in a plain directory: made anew where it is changed, otherwise once. */
function mountHost(stage: Stage): string {
  const only = stage.lowers[0]!;
  if (!stage.writes && stage.lowers.length === 1) return only;
  const name = stage.lowers.map((dir) => path.basename(dir)).join('+');
  const merged = stage.writes ? stage.mountpoint : path.join(stage.scratch, 'merged', name.slice(0, 100));
  const marker = `${merged}.done`;
  if (existsSync(marker)) return merged;
  mkdirSync(merged, { recursive: true, mode: 0o755 });
  for (const lower of stage.lowers.toReversed()) run('cp', ['-a', `${lower}/.`, merged]);
  run('touch', [marker]);
  return merged;
}

/** With relative names: the option string of mount(2) ends at a page. */
function mountKernel(stage: Stage, options: string): string {
  const list = layerOptions(stage, (dir) => path.relative(stage.scratch, dir));
  const all = stage.upper === undefined || options === '' ? list : `${list},${options}`;
  run('mount', ['-i', '-t', 'overlay', 'overlay', '-o', all, stage.mountpoint], {
    cwd: stage.scratch,
    // Newer ones hand options over one by one, of at most 255 characters.
    env: { LIBMOUNT_FORCE_MOUNT2: 'always' },
  });
  return stage.mountpoint;
}

const hasOverlay = (): string | undefined => {
  run('bash', ['-c', 'modprobe -q overlay || true']);
  return /\toverlay$/m.test(readFileSync('/proc/filesystems', 'utf8')) ? undefined : 'the kernel has no overlayfs';
};

const hasFuse = (): string | undefined => (existsSync('/dev/fuse') ? undefined : 'no /dev/fuse');

function mountWith(file: string, args: readonly string[], stage: Stage): string {
  run(file, [...args, '-o', layerOptions(stage, (dir) => dir), stage.mountpoint]);
  return stage.mountpoint;
}

/** The program of a checkout, which may be an older one. Throws Unavailable if it is none of this project. */
function binary(checkout: string): string {
  const file = path.join(checkout, 'package.json');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '{}';
  const { bin } = JSON.parse(text) as { bin?: { veneer?: string } };
  if (bin?.veneer === undefined) throw new Unavailable(`${checkout} is not a checkout of veneer`);
  return path.join(checkout, bin.veneer);
}

interface Veneer {
  readonly name: string;
  readonly title: string;
  readonly checkout: string;
  /** Before `-o`. */
  readonly args: readonly string[];
}

function veneer({ name, title, checkout, args }: Veneer): Backend {
  const bin = binary(checkout);
  return {
    name,
    title,
    unavailable() {
      if (!existsSync(bin)) return `${bin} is not built`;
      const option = args.find((arg) => arg.startsWith('--'));
      const help = run(process.execPath, [bin, 'overlay', '--help']);
      return option === undefined || help.includes(option) ? hasFuse() : `this build has no ${option}`;
    },
    mount: (stage) => mountWith(process.execPath, [bin, 'overlay', ...args], stage),
    version: () => firstLine(process.execPath, [bin, '--version']),
  };
}

const HOST: Backend = {
  name: 'host',
  title: 'plain directory on the same disk',
  unavailable: () => undefined,
  mount: mountHost,
};

/** Shows that the checks catch who does not work. */
const IDLE: Backend = { ...HOST, name: 'idle', title: 'a plain directory where nothing is done: fails', idle: true };

const FUSE_OVERLAYFS = process.env['FUSE_OVERLAYFS'] ?? 'fuse-overlayfs';

export const BACKENDS: readonly Backend[] = [
  HOST,
  {
    name: 'kernel',
    title: 'kernel overlayfs with redirect_dir=on,index=on,xino=on, which is what veneer does',
    unavailable: hasOverlay,
    mount: (stage) => mountKernel(stage, 'redirect_dir=on,index=on,xino=on'),
  },
  {
    name: 'kernel-default',
    title: 'kernel overlayfs without options',
    unavailable: hasOverlay,
    mount: (stage) => mountKernel(stage, ''),
  },
  veneer({ name: 'veneer', title: 'this build', checkout: PROJECT, args: [] }),
  veneer({
    name: 'veneer-native',
    title: 'this build with --transport fuse-native',
    checkout: PROJECT,
    args: ['--transport', 'fuse-native'],
  }),
  {
    name: 'fuse-overlayfs',
    title: `the program ${FUSE_OVERLAYFS} (FUSE_OVERLAYFS names another)`,
    unavailable: () => (has(FUSE_OVERLAYFS) ? hasFuse() : `no ${FUSE_OVERLAYFS} program`),
    mount: (stage) => mountWith(FUSE_OVERLAYFS, [], stage),
    // The first line is fusermount3's.
    version: () => /^fuse-overlayfs.*$/m.exec(run(FUSE_OVERLAYFS, ['--version']))?.[0],
  },
];

/**
 * A name of the table, `idle`, or `veneer[@CHECKOUT][+OPTION...]`: another build, or other mount options. Throws
 * Unavailable for a checkout that is not there.
 */
export function backendOf(name: string): Backend | undefined {
  const known = [...BACKENDS, IDLE].find((backend) => backend.name === name);
  if (known !== undefined) return known;
  const variant = /^veneer(?:@([^+]+))?((?:\+[^+]+)*)$/.exec(name);
  if (variant === null) return undefined;
  const options = (variant[2] ?? '').split('+').filter((option) => option !== '');
  return veneer({
    name,
    title: 'another veneer',
    checkout: variant[1] === undefined ? PROJECT : path.resolve(variant[1]),
    args: options.flatMap((option) => ['-o', option]),
  });
}

/** Mounts and un-mounts an empty layer. Throws Unavailable with the backend's own complaint. */
export function probe(backend: Backend, stage: Stage): void {
  const reason = backend.unavailable();
  if (reason !== undefined) throw new Unavailable(reason);
  try {
    backend.mount(stage);
    unmount(stage);
  } catch (error) {
    if (error instanceof Failed) throw new Unavailable(error.message);
    throw error;
  }
}

/** Milliseconds that a server has to end after its file system is gone; it may have a gigabyte to write out. */
const LINGER = 120_000;

/** Un-mounts whatever is mounted, and waits until its server has ended. */
export function unmount(stage: Stage): void {
  if (!mountsBelow(stage.mountpoint).includes(stage.mountpoint)) return;
  const servers = serversOf(stage.mountpoint);
  run('umount', [stage.mountpoint]);
  const end = Date.now() + LINGER;
  while (servers.some((pid) => existsSync(`/proc/${String(pid)}`))) {
    if (Date.now() > end) throw new Failed('its server does not end after the un-mount');
    run('sleep', ['0.01']);
  }
}
