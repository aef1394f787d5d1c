// The options of an overlay mount (`-o`) as fuse-overlayfs, overlayfs and mount(8) spell them: each name, what its
// value must be, and what becomes of it.

import { VeneerError } from '../core/index.js';
import type { IdRange } from '../overlay/index.js';

/** Where one option goes: into the request, or past it. */
export type OptionRule =
  /** A field of the request. */
  | { readonly kind: 'text' | 'layers' | 'layer' | 'flag' | 'seconds' | 'id' | 'id-map'; readonly field: string }
  /** A field of the request that takes the value belonging to a word. */
  | {
      readonly kind: 'choice';
      readonly field: string;
      readonly values: Readonly<Record<string, unknown>>;
    }
  /** Understood, and not acted on: a line says so, unless the value is one of `quiet`. */
  | { readonly kind: 'passed-over'; readonly check?: (value: string) => boolean; readonly quiet?: readonly string[] }
  /** A word of mount(8), libfuse or containers/storage that needs no answer here. */
  | { readonly kind: 'silent' };

const SILENT = [
  // mount(8), file-system independent
  'rw defaults dev suid exec atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime lazytime nolazytime async',
  'sync dirsync user nouser users group owner auto noauto nofail _netdev comment iversion noiversion mand nomand silent loud',
  // propagation, as buildah passes it
  'private rprivate shared rshared slave rslave unbindable runbindable bind rbind remount',
  // libfuse
  'allow_other allow_root default_permissions auto_unmount nonempty fsname subtype max_read blksize blkdev intr big_writes',
  'large_read hard_remove use_ino readdir_ino direct_io kernel_cache auto_cache splice_read splice_write splice_move clone_fd',
  // SELinux contexts come with every mount of podman
  'context fscontext defcontext rootcontext',
].flatMap((line) => line.split(' '));

const isSwitch = (value: string): boolean => /^[01]?$/.test(value);

/** The ids of Linux are 32-bit; the last one means "no id". */
const ID_LIMIT = 0xffffffff;

/** A user or group id. Throws `usage`. */
export function parseId(name: string, value: string): number {
  const id = /^\d{1,10}$/.test(value) ? Number(value) : ID_LIMIT;
  if (id < ID_LIMIT) return id;
  throw new VeneerError('usage', `option ${name}: '${value}' is not an id`);
}

function overlap(a: IdRange, b: IdRange, side: 'disk' | 'shown'): boolean {
  return a[side] < b[side] + b.length && b[side] < a[side] + a.length;
}

/**
 * `DISK:SHOWN:LENGTH` triples, one after another; the builder of podman starts with a colon. An empty list maps
 * nothing, and is none. Throws `usage`.
 */
export function parseIdMap(name: string, value: string): readonly IdRange[] | undefined {
  const words = value.replace(/^:|:$/g, '').split(':');
  if (words.join('') === '') return undefined;
  const ranges: IdRange[] = [];
  for (let at = 0; at < words.length; at += 3) {
    const [disk = '', shown = '', length = ''] = words.slice(at, at + 3);
    const range = { disk: parseId(name, disk), shown: parseId(name, shown), length: parseId(name, length) };
    const last = Math.max(range.disk, range.shown) + range.length - 1;
    const problem =
      range.length === 0 || last >= ID_LIMIT
        ? 'has a length it cannot have'
        : ranges.some((other) => overlap(other, range, 'disk') || overlap(other, range, 'shown'))
          ? 'overlaps one before it'
          : undefined;
    if (problem !== undefined) {
      throw new VeneerError('usage', `option ${name}: the range ${disk}:${shown}:${length} ${problem}`);
    }
    ranges.push(range);
  }
  return ranges;
}

const passedOver = (check?: (value: string) => boolean, ...quiet: string[]): OptionRule => ({
  kind: 'passed-over',
  ...(check === undefined ? {} : { check }),
  quiet,
});

const oneOf =
  (...words: string[]) =>
  (value: string): boolean =>
    words.includes(value);

const RULES = new Map<string, OptionRule>([
  ...SILENT.map((name): [string, OptionRule] => [name, { kind: 'silent' }]),
  ['lowerdir', { kind: 'layers', field: 'lowerdir' }],
  ['lowerdir+', { kind: 'layer', field: 'lowerdir' }],
  ['upperdir', { kind: 'text', field: 'upperdir' }],
  ['workdir', { kind: 'text', field: 'workdir' }],
  ['ro', { kind: 'flag', field: 'readOnly' }],
  ['nodev', { kind: 'flag', field: 'nodev' }],
  ['nosuid', { kind: 'flag', field: 'nosuid' }],
  ['noexec', { kind: 'flag', field: 'noexec' }],
  ['volatile', { kind: 'flag', field: 'volatile' }],
  ['userxattr', { kind: 'flag', field: 'userxattr' }],
  ['passthrough', { kind: 'choice', field: 'passthrough', values: { auto: 'auto', all: 'all', off: 'off' } }],
  ['noacl', { kind: 'flag', field: 'noacl' }],
  ['timeout', { kind: 'seconds', field: 'timeout' }],
  ['uidmapping', { kind: 'id-map', field: 'uidMapping' }],
  ['gidmapping', { kind: 'id-map', field: 'gidMapping' }],
  ['squash_to_root', { kind: 'flag', field: 'squashToRoot' }],
  ['squash_to_uid', { kind: 'id', field: 'squashToUid' }],
  ['squash_to_gid', { kind: 'id', field: 'squashToGid' }],
  ['xattr_permissions', { kind: 'choice', field: 'xattrPermissions', values: { 0: 0, 1: 1, 2: 2 } }],
  ['static_nlink', { kind: 'flag', field: 'staticNlink' }],
  ['transport', { kind: 'choice', field: 'transport', values: { direct: 'direct', 'fuse-native': 'fuse-native' } }],
  ['ino32_t', passedOver()],
  // Inode numbers are always what `on` makes them.
  ['xino', passedOver(oneOf('on', 'off', 'auto'), 'auto', 'on', 'off')],
  // The loop decides these by itself.
  ['threaded', passedOver(isSwitch, '0', '1')],
  ['writeback', passedOver(isSwitch, '', '0', '1')],
  ['fast_ino', passedOver(isSwitch, '', '0', '1')],
  ['fsync', { kind: 'choice', field: 'volatile', values: { 0: true, 1: false } }],
  ['noxattrs', passedOver(isSwitch, '0')],
  ['plugins', passedOver()],
  [
    'redirect_dir',
    {
      kind: 'choice',
      field: 'redirectDir',
      // The kernel follows with `off`, too, unless its module was told otherwise (redirect_always_follow).
      values: { on: 'on', off: 'follow', follow: 'follow', nofollow: 'nofollow' },
    },
  ],
  ['low_latency', { kind: 'choice', field: 'lowLatency', values: { on: true, off: false } }],
  ['metacopy', { kind: 'choice', field: 'metacopy', values: { on: true, off: false } }],
  // Hard links are always kept.
  ['index', passedOver(oneOf('on', 'off'), 'on', 'off')],
  ['nfs_export', passedOver(oneOf('on', 'off'), 'off')],
  ['verity', passedOver(oneOf('on', 'off', 'require'), 'off')],
  ['uuid', passedOver(oneOf('on', 'off', 'null', 'auto'), 'auto', 'null', 'off')],
]);

/** The rule for a name; undefined for one nobody knows. Names that start with `x-` are for mount(8) alone. */
export function ruleOf(name: string): OptionRule | undefined {
  return /^x-/i.test(name) ? { kind: 'silent' } : RULES.get(name);
}

/** One option as given: `name`, or `name=value`. */
export interface MountOption {
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * Splits an option list at its commas. `\,` is a comma of a value, and a value in double quotes keeps its
 * commas; the backslashes are left for `splitLayers` and `unescape`.
 */
export function splitOptions(list: string): MountOption[] {
  const options: MountOption[] = [];
  // name, then perhaps "=", then a quoted or a plain value
  const word = /([^=,]*)(?:=(?:"([^"]*)"(?=,|$)|((?:\\.|[^,\\]|\\$)*)))?(?:,|$)/gsy;
  while (word.lastIndex < list.length) {
    const match = word.exec(list);
    if (match === null) break;
    const [, name = '', quoted, plain] = match;
    if (name !== '') options.push({ name, value: quoted ?? plain });
  }
  return options;
}

/** `\:` and `\\` stand for themselves. */
export function unescape(value: string): string {
  return value.replace(/\\([:\\,])/g, '$1');
}

/** The directories of a `lowerdir`: separated by colons that no backslash precedes. */
export function splitLayers(value: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const token of value.match(/\\.|[^\\]|\\$/gs) ?? []) {
    if (token === ':') {
      parts.push(part);
      part = '';
    } else part += token;
  }
  parts.push(part);
  if (parts.includes('')) {
    throw new VeneerError('usage', `lowerdir '${value.slice(0, 200)}' names an empty path`, {
      hint: 'directories are separated by single colons; a colon in a name is written \\:',
    });
  }
  return parts.map(unescape);
}
