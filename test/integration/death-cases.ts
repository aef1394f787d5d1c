// Single operations at whose every step the server may die. Each is one system call of a user.

import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_APPEND,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  close,
  fchmodat,
  fchownat,
  linkat,
  mkdirat,
  must,
  openat,
  removexattr,
  renameat2,
  setxattr,
  symlinkat,
  unlinkat,
  utimensat,
} from '../../src/sys/index.js';
import type { Layers } from '../helpers/backends.js';
import { dir, fifo, file, link, symlink, whiteout } from '../helpers/layer-spec.js';
import { runAs, truncate } from '../helpers/native.js';
import type { TreeEntry } from '../helpers/tree.js';

/** More than is copied in one go: the second thread of the server copies it. */
const BIG = randomBytes(300_000);
const XATTRS = { 'user.color': 'blue' };

export const LAYERS: Layers = {
  lower: [
    { 'd/top': 'top', 'wiped/a': 'above', 'm/b': 'b' },
    {
      small: file('small', { xattrs: XATTRS, mode: 0o640, uid: 5, gid: 6 }),
      big: file(BIG, { xattrs: XATTRS }),
      target: 'target',
      h1: file('linked', { mode: 0o600 }),
      h2: link('h1'),
      'd/h3': link('h1'),
      'd/x': 'x',
      'd/e/y': 'y',
      'd/e/deep/z': 'z',
      empty: dir({ mode: 0o750 }),
      empty2: dir(),
      s: symlink('small'),
      s2: link('s'),
      p: fifo({ mode: 0o620 }),
      gone: 'gone',
      gone2: 'gone',
      'gonedir/f': 'gone',
      'wiped/a': 'a',
      'm/a': 'a',
    },
  ],
  upper: {
    gone: whiteout(),
    gone2: whiteout(),
    gonedir: whiteout(),
    'wiped/a': whiteout(),
    uf: 'of the upper',
    'ud/f': 'of the upper',
    ue: dir(),
    shared: dir({ mode: 0o1777 }),
    'd/own': 'own',
  },
};

export interface DeathCase {
  readonly name: string;
  /** Before the photographs: what the mount has seen already. */
  readonly prepare?: (root: string) => void;
  readonly act: (root: string) => void;
  /** What is known to be neither old nor new for a moment: not compared. */
  readonly between?: { readonly path: string; readonly keys: readonly (keyof TreeEntry)[] };
}

const ALICE = { uid: 1000, gid: 1000 };
const at = (root: string, name: string): { dirfd: number; name: string } => ({
  dirfd: AT_FDCWD,
  name: `${root}/${name}`,
});

const chmod =
  (name: string, mode: number) =>
  (root: string): void =>
    void must(fchmodat(AT_FDCWD, `${root}/${name}`, mode), 'chmod', name);
const open =
  (name: string, flags: number, mode = 0o644) =>
  (root: string): void =>
    void close(must(openat(AT_FDCWD, `${root}/${name}`, flags, mode), 'open', name));
const unlink =
  (name: string, flags = 0) =>
  (root: string): void =>
    void must(unlinkat(AT_FDCWD, `${root}/${name}`, flags), 'unlink', name);
const rmdir = (name: string): ((root: string) => void) => unlink(name, AT_REMOVEDIR);
const rename =
  (from: string, to: string, flags = 0) =>
  (root: string): void =>
    void must(renameat2(at(root, from), at(root, to), flags), 'rename', from);
const linkTo =
  (from: string, to: string) =>
  (root: string): void =>
    void must(linkat(at(root, from), at(root, to)), 'link', from);
const mkdir =
  (name: string, mode = 0o755) =>
  (root: string): void =>
    void must(mkdirat(AT_FDCWD, `${root}/${name}`, mode), 'mkdir', name);
const asAlice =
  (act: (root: string) => void) =>
  (root: string): void =>
    runAs(ALICE, () => act(root));
/** Makes several names known to the server. */
const know =
  (...names: string[]) =>
  (root: string): void => {
    for (const name of names) statSync(`${root}/${name}`);
  };
const inTurn =
  (...steps: readonly ((root: string) => void)[]) =>
  (root: string): void =>
    steps.forEach((step) => step(root));

const time = { sec: 77, nsec: 7 };

/** A new file belongs to the server until chown: an empty one of root, should it die there. */
const OWNER = { path: 'shared/new', keys: ['owner'] } as const;

export const DEATH_CASES: readonly DeathCase[] = [
  { name: 'chmod of a lower file', act: chmod('small', 0o600) },
  { name: 'chmod of a big lower file', act: chmod('big', 0o600) },
  { name: 'open for append of a big lower file', act: open('big', O_WRONLY | O_APPEND) },
  { name: 'open with O_TRUNC of a lower file', act: open('big', O_WRONLY | O_TRUNC) },
  { name: 'truncate of a lower file', act: (root) => void must(truncate(`${root}/big`, 100_000), 'truncate') },
  { name: 'chmod far down', act: chmod('d/e/deep/z', 0o600) },
  { name: 'chmod of a lower directory', act: chmod('d/e', 0o700) },
  {
    name: 'setxattr on a lower file',
    act: (root) => void must(setxattr(`${root}/small`, 'user.new', Buffer.from('v')), 'setxattr'),
  },
  {
    name: 'removexattr on a lower file',
    act: (root) => void must(removexattr(`${root}/small`, 'user.color'), 'removexattr'),
  },
  {
    name: 'times of a lower symlink with links',
    act: (root) => void must(utimensat(AT_FDCWD, `${root}/s`, { atime: time, mtime: time }), 'utimensat'),
  },
  { name: 'chown of a lower fifo', act: (root) => void must(fchownat(AT_FDCWD, `${root}/p`, ALICE), 'chown') },

  { name: 'chmod of one of three lower links', act: chmod('h1', 0o644) },
  {
    name: 'chmod of one of three lower links, all known',
    prepare: know('h1', 'h2', 'd/h3'),
    act: chmod('h2', 0o644),
  },
  { name: 'chmod of another link after copy-up', prepare: chmod('h1', 0o644), act: chmod('h2', 0o640) },
  { name: 'unlink of one of three lower links', act: unlink('h1') },
  { name: 'unlink of a copied link', prepare: chmod('h1', 0o644), act: unlink('h1') },
  { name: 'unlink of a link that is not in the upper', prepare: chmod('h1', 0o644), act: unlink('h2') },
  { name: 'unlink of the last link', prepare: inTurn(unlink('h1'), unlink('h2')), act: unlink('d/h3') },
  { name: 'a further link of a lower file with links', act: linkTo('h1', 'h4') },
  { name: 'a link of a lower file', act: linkTo('small', 'small2') },
  { name: 'a link over a whiteout', act: linkTo('uf', 'gone') },
  { name: 'rename of one of three lower links', act: rename('h1', 'h9') },
  { name: 'rename over one of three lower links', act: rename('uf', 'h1') },
  { name: 'rename over a copied link', prepare: chmod('h1', 0o644), act: rename('uf', 'h1') },

  { name: 'create', act: open('new', O_CREAT | O_WRONLY) },
  { name: 'create over a whiteout', act: open('gone', O_CREAT | O_WRONLY) },
  { name: 'mkdir over a whiteout', act: mkdir('gonedir') },
  { name: 'symlink over a whiteout', act: (root) => void must(symlinkat('x', AT_FDCWD, `${root}/gone`), 'symlink') },
  { name: 'create by another user', act: asAlice(open('shared/new', O_CREAT | O_WRONLY)), between: OWNER },
  { name: 'mkdir by another user', act: asAlice(mkdir('shared/new')), between: OWNER },
  {
    name: 'symlink by another user',
    act: asAlice((root) => void must(symlinkat('x', AT_FDCWD, `${root}/shared/new`), 'symlink')),
    between: OWNER,
  },
  { name: 'mkdir in a lower directory', act: mkdir('d/e/new') },

  { name: 'unlink of a lower file', act: unlink('small') },
  { name: 'unlink of an upper file', act: unlink('uf') },
  { name: 'unlink of a copied file', prepare: chmod('small', 0o600), act: unlink('small') },
  { name: 'unlink far down', act: unlink('d/e/deep/z') },
  { name: 'rmdir of a lower directory', act: rmdir('empty') },
  { name: 'rmdir of an upper directory', act: rmdir('ue') },
  { name: 'rmdir of a directory of whiteouts', act: rmdir('wiped') },
  {
    name: 'rmdir of an upper directory with leftovers',
    prepare: inTurn(mkdir('gonedir'), rename('m/a', 'gonedir/a'), unlink('gonedir/a')),
    act: rmdir('gonedir'),
  },

  { name: 'rename of a lower file', act: rename('big', 'big2') },
  { name: 'rename of a lower file over a lower file', act: rename('small', 'target') },
  { name: 'rename of a lower file over a whiteout', act: rename('small', 'gone') },
  { name: 'rename of an upper file over a lower file', act: rename('uf', 'small') },
  { name: 'rename of an upper file over a whiteout', act: rename('uf', 'gone') },
  { name: 'rename of a lower file into a lower directory', act: rename('small', 'd/e/small') },
  { name: 'rename of a lower symlink with links', act: rename('s', 'd/s') },
  { name: 'rename of a lower directory', act: rename('d', 'd2') },
  { name: 'rename of a lower directory into another one', act: rename('d/e', 'm/e') },
  { name: 'rename of a lower directory over a lower directory', act: rename('d', 'empty') },
  { name: 'rename of a lower directory over one of whiteouts', act: rename('d', 'wiped') },
  { name: 'rename of a lower directory over a whiteout', act: rename('d', 'gonedir') },
  { name: 'rename of an upper directory over a whiteout', act: rename('ud', 'gonedir') },
  { name: 'rename of an upper directory over a lower directory', act: rename('ud', 'empty') },
  { name: 'rename of a renamed directory', prepare: rename('d', 'd2'), act: rename('d2', 'm/d') },
  { name: 'rename of a renamed directory back', prepare: rename('d', 'd2'), act: rename('d2', 'd') },
  { name: 'exchange of lower files', act: rename('small', 'd/x', RENAME_EXCHANGE) },
  { name: 'exchange of a lower directory and a lower file', act: rename('d/e', 'big', RENAME_EXCHANGE) },
  { name: 'exchange of lower directories', act: rename('d/e', 'm', RENAME_EXCHANGE) },
  { name: 'exchange of an upper and a lower directory', act: rename('ud', 'm', RENAME_EXCHANGE) },
  { name: 'exchange of a link with a lower file', act: rename('h1', 'small', RENAME_EXCHANGE) },
];

/** What the kernel does with `metacopy=on` before the cases below: the copy has no data. */
export const makeMetacopy = chmod('big', 0o600);

/**
 * The data comes in place, as the kernel does it: writing moves the time until it is put back, and a copy is cut before
 * its mark goes.
 */
const IN_PLACE = { path: 'big', keys: ['mtime', 'size'] } as const;

export const METACOPY_CASES: readonly DeathCase[] = [
  { name: 'open for append of a metadata-only copy', act: open('big', O_WRONLY | O_APPEND), between: IN_PLACE },
  { name: 'open with O_TRUNC of a metadata-only copy', act: open('big', O_WRONLY | O_TRUNC), between: IN_PLACE },
  {
    name: 'truncate of a metadata-only copy',
    act: (root) => void must(truncate(`${root}/big`, 100), 'truncate'),
    between: IN_PLACE,
  },
  { name: 'rename of a metadata-only copy', act: rename('big', 'd/big'), between: IN_PLACE },
];
