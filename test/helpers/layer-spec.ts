// Layers as data: what is in each, written out to directories in the overlay's on-disk form or merged by hand.

import type { ByteString } from '../../src/core/index.js';
import {
  AT_FDCWD,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  close,
  encodeDev,
  fchmodat,
  fchownat,
  ftruncate,
  linkat,
  mkdirat,
  mknodat,
  must,
  openat,
  pwrite,
  setxattr,
  symlinkat,
  utimensat,
} from '../../src/sys/index.js';

export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds; the nanoseconds are always NSEC. */
  readonly mtime?: number;
  readonly xattrs?: Readonly<Record<string, string | Uint8Array>>;
}

/** How a directory is marked opaque, or a name as removed, on disk. */
export type Mark = 'kernel' | 'oci' | 'xattr' | 'user-overlay' | 'user-fuseoverlayfs';

export type LayerNode =
  | ({ readonly kind: 'dir'; readonly opaque?: Mark } & Attributes)
  | ({
      readonly kind: 'file';
      readonly content: string | Uint8Array;
      /** Extends it by a hole. */ readonly size?: number;
    } & Attributes)
  | ({ readonly kind: 'symlink'; readonly target: ByteString } & Attributes)
  | ({ readonly kind: 'special'; readonly type: number; readonly rdev: number } & Attributes)
  | { readonly kind: 'link'; readonly to: ByteString }
  | { readonly kind: 'whiteout'; readonly mark: Mark };

/** Path -> what is there; a plain text is a file with that content. Directories above are implied, mode 0755. */
export type LayerSpec = Readonly<Record<ByteString, LayerNode | string>>;

export const NSEC = 123_456_789;

export const dir = (attributes: Attributes & { readonly opaque?: Mark } = {}): LayerNode => ({
  kind: 'dir',
  ...attributes,
});
export const file = (content: string | Uint8Array, attributes: Attributes & { size?: number } = {}): LayerNode => ({
  kind: 'file',
  content,
  ...attributes,
});
export const symlink = (target: ByteString, attributes: Attributes = {}): LayerNode => ({
  kind: 'symlink',
  target,
  ...attributes,
});
export const link = (to: ByteString): LayerNode => ({ kind: 'link', to });
export const whiteout = (mark: Mark = 'kernel'): LayerNode => ({ kind: 'whiteout', mark });
export const opaque = (mark: Mark = 'kernel'): LayerNode => ({ kind: 'dir', opaque: mark });
export const fifo = (attributes: Attributes = {}): LayerNode => ({
  kind: 'special',
  type: S_IFIFO,
  rdev: 0,
  ...attributes,
});
export const socket = (attributes: Attributes = {}): LayerNode => ({
  kind: 'special',
  type: S_IFSOCK,
  rdev: 0,
  ...attributes,
});
export const charDevice = (major: number, minor: number): LayerNode => ({
  kind: 'special',
  type: S_IFCHR,
  rdev: encodeDev(major, minor),
});
export const blockDevice = (major: number, minor: number): LayerNode => ({
  kind: 'special',
  type: S_IFBLK,
  rdev: encodeDev(major, minor),
});

type Expanded = Map<ByteString, LayerNode>;

const parentOf = (path: ByteString): ByteString => path.slice(0, Math.max(path.lastIndexOf('/'), 0));
const nameOf = (path: ByteString): ByteString => path.slice(path.lastIndexOf('/') + 1);

/** The time that the nodes of a layer have unless told: another one in each layer, so that the wrong one shows. */
const layerTime = (level: number): number => 1_000_000_000 + 1000 * level;

/** Parents first, all of them explicit, all with times. `level` counts from the bottom. */
function expand(spec: LayerSpec, level: number): Expanded {
  const nodes: Expanded = new Map();
  const put = (path: ByteString, node: LayerNode): void => {
    const parent = parentOf(path);
    if (parent !== '' && !nodes.has(parent)) put(parent, { kind: 'dir' });
    nodes.set(path, node.kind === 'link' || node.kind === 'whiteout' ? node : { mtime: layerTime(level), ...node });
  };
  for (const [path, node] of Object.entries(spec)) put(path, typeof node === 'string' ? file(node) : node);
  return nodes;
}

function removeBelow(nodes: Expanded, path: ByteString): void {
  for (const other of [...nodes.keys()]) if (other.startsWith(`${path}/`)) nodes.delete(other);
}

/** One layer that shows what the stack shows: the specification of the union, in twenty lines. Top first. */
export function mergeSpecs(specs: readonly LayerSpec[]): Expanded {
  const merged: Expanded = new Map();
  specs.toReversed().forEach((spec, level) => {
    for (const [path, node] of expand(spec, level)) {
      const below = merged.get(path);
      const cuts = node.kind !== 'dir' || (node.opaque !== undefined && node.opaque !== 'xattr');
      if (below?.kind === 'dir' && cuts) removeBelow(merged, path);
      if (node.kind === 'whiteout') merged.delete(path);
      else if (node.kind === 'dir') {
        const { opaque: _mark, ...plain } = node;
        merged.set(path, plain);
      } else merged.set(path, node);
    }
  });
  return new Map(
    [...merged].sort(([a, x], [b, y]) => Number(x.kind === 'link') - Number(y.kind === 'link') || (a < b ? -1 : 1)),
  );
}

function create(root: ByteString, path: ByteString, node: LayerNode): void {
  const at = `${root}/${path}`;
  switch (node.kind) {
    case 'dir':
      return void must(mkdirat(AT_FDCWD, at, 0o700), 'mkdir', at);
    case 'file': {
      const fd = must(openat(AT_FDCWD, at, O_CREAT | O_EXCL | O_WRONLY, 0o600), 'open', at);
      const content = Buffer.from(node.content);
      if (content.length > 0) must(pwrite(fd, content, 0), 'write', at);
      if (node.size !== undefined) must(ftruncate(fd, node.size), 'truncate', at);
      return void close(fd);
    }
    case 'symlink':
      return void must(symlinkat(node.target, AT_FDCWD, at), 'symlink', at);
    case 'special':
      return void must(mknodat(AT_FDCWD, at, node.type | 0o600, node.rdev), 'mknod', at);
    case 'link':
      return void must(
        linkat({ dirfd: AT_FDCWD, name: `${root}/${node.to}` }, { dirfd: AT_FDCWD, name: at }),
        'link',
        at,
      );
    case 'whiteout':
      createWhiteout(root, path, node.mark);
      return;
  }
}

function emptyFile(at: ByteString): void {
  close(must(openat(AT_FDCWD, at, O_CREAT | O_WRONLY, 0o644), 'open', at));
}

/** The xattr form needs its directory to be marked with `opaque: 'xattr'`. */
function createWhiteout(root: ByteString, path: ByteString, mark: Mark): void {
  const at = `${root}/${path}`;
  if (mark === 'kernel') must(mknodat(AT_FDCWD, at, S_IFCHR, 0), 'mknod', at);
  else if (mark === 'oci') emptyFile(`${root}/${parentOf(path)}/.wh.${nameOf(path)}`);
  else {
    emptyFile(at);
    must(setxattr(at, 'trusted.overlay.whiteout', Buffer.from('y')), 'setxattr', at);
  }
}

const OPAQUE_XATTR: Readonly<Record<string, readonly [string, string]>> = {
  kernel: ['trusted.overlay.opaque', 'y'],
  xattr: ['trusted.overlay.opaque', 'x'],
  'user-overlay': ['user.overlay.opaque', 'y'],
  'user-fuseoverlayfs': ['user.fuseoverlayfs.opaque', 'y'],
};

function applyAttributes(root: ByteString, path: ByteString, node: LayerNode): void {
  if (node.kind === 'link' || node.kind === 'whiteout') return;
  const at = `${root}/${path}`;
  must(fchownat(AT_FDCWD, at, { uid: node.uid ?? 0, gid: node.gid ?? 0 }), 'chown', at);
  const mode = node.mode ?? (node.kind === 'dir' ? 0o755 : 0o644);
  if (node.kind !== 'symlink') must(fchmodat(AT_FDCWD, at, mode), 'chmod', at);
  for (const [name, value] of Object.entries(node.xattrs ?? {}))
    must(setxattr(at, name, Buffer.from(value)), 'setxattr', at);
  if (node.kind === 'dir' && node.opaque === 'oci') emptyFile(`${at}/.wh..wh..opq`);
  else if (node.kind === 'dir' && node.opaque !== undefined) {
    const [name, value] = OPAQUE_XATTR[node.opaque]!;
    must(setxattr(at, name, Buffer.from(value)), 'setxattr', at);
  }
  const time = { sec: node.mtime ?? 0, nsec: NSEC };
  must(utimensat(AT_FDCWD, at, { atime: time, mtime: time }), 'utimensat', at);
}

/** Children before parents, so that the times of directories stay. */
function writeNodes(root: ByteString, nodes: Expanded): void {
  for (const [path, node] of nodes) create(root, path, node);
  for (const [path, node] of [...nodes].reverse()) applyAttributes(root, path, node);
}

/** Writes one layer into an existing directory; `level` counts from the bottom of its stack and chooses the default times. */
export function writeLayerSpec(root: string, spec: LayerSpec, level: number): void {
  writeNodes(root, expand(spec, level));
}

/** Writes what a stack of layers, top first, shows when merged. */
export function writeMergedSpecs(root: string, specs: readonly LayerSpec[]): void {
  writeNodes(root, mergeSpecs(specs));
}
