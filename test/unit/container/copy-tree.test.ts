import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyTrees } from '../../../src/container/copy-tree.js';
import {
  AT_FDCWD,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  fchownat,
  getxattr,
  listxattr,
  mknodat,
  must,
  setxattr,
  utimensat,
} from '../../../src/sys/index.js';
import { snapshot } from '../../helpers/tree.js';
import { temporaryDirectory } from '../store/fixture.js';

/** Copies one tree. */
function copyTree({ from, to, scratch }: { from: string; to: string; scratch: string }): void {
  copyTrees({ trees: [{ from, to }], scratch });
}

function places() {
  const root = temporaryDirectory();
  const paths = { from: join(root, 'from'), to: join(root, 'to'), scratch: join(root, 'scratch') };
  for (const path of Object.values(paths)) mkdirSync(path);
  return paths;
}

test.skipIf(process.getuid?.() !== 0)('everything a writable layer holds arrives', () => {
  const paths = places();
  const { from, to, scratch } = paths;
  const at = (name: string): string => join(from, name);
  mkdirSync(at('dir/sub'), { recursive: true });
  writeFileSync(at('dir/file'), 'content');
  linkSync(at('dir/file'), at('dir/sub/link'));
  linkSync(at('dir/file'), at('third'));
  symlinkSync('dir/file', at('symlink'));
  linkSync(at('symlink'), at('dir/symlink'));
  must(mknodat(AT_FDCWD, at('gone'), S_IFCHR, 0), 'mknod');
  linkSync(at('gone'), at('dir/gone'));
  must(mknodat(AT_FDCWD, at('fifo'), S_IFIFO | 0o640, 0), 'mknod');
  must(mknodat(AT_FDCWD, at('socket'), S_IFSOCK | 0o600, 0), 'mknod');
  must(mknodat(AT_FDCWD, at('null'), S_IFCHR | 0o666, 0x103), 'mknod');
  must(mknodat(AT_FDCWD, at('\xff\xfe'), S_IFIFO | 0o600, 0), 'mknod');
  writeFileSync(at('suid'), 'x');
  must(fchownat(AT_FDCWD, at('suid'), { uid: 1000, gid: 1001 }), 'chown');
  chmodSync(at('suid'), 0o6755);
  must(
    setxattr(at('suid'), 'security.capability', Buffer.from('0100000200200000000000000000000000000000', 'hex')),
    'setxattr',
  );
  must(setxattr(at('dir'), 'trusted.overlay.opaque', Buffer.from('y')), 'setxattr');
  must(setxattr(at('third'), 'user.note', Buffer.from('n')), 'setxattr');
  must(setxattr(from, 'user.root', Buffer.from('r')), 'setxattr');
  const times = { atime: { sec: 1, nsec: 2 }, mtime: { sec: -3, nsec: 123_456_789 } };
  for (const name of ['symlink', 'fifo', 'dir/file', 'dir/sub', 'dir'])
    must(utimensat(AT_FDCWD, at(name), times), 'utimens');
  chmodSync(from, 0o711);
  utimesSync(from, 5, 6);

  copyTree(paths);

  expect(new Map(snapshot(to))).toEqual(new Map(snapshot(from)));
  expect(lstatSync(to).mode & 0o7777).toBe(0o711);
  expect(lstatSync(to).mtimeMs).toBe(6000);
  expect(listxattr(to)).toEqual(['user.root']);
  expect(lstatSync(join(to, 'dir/file'), { bigint: true }).mtimeNs).toBe(-3n * 1_000_000_000n + 123_456_789n);
  expect(readdirSync(scratch)).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)("the overlay's bookkeeping stays behind, users' own attributes do not", () => {
  const paths = places();
  const set = (name: string): number =>
    must(setxattr(join(paths.from, 'file'), name, Buffer.from('v')), 'setxattr', name);
  writeFileSync(join(paths.from, 'file'), '');
  const dropped = ['trusted.overlay.origin', 'trusted.overlay.nlink', 'trusted.overlay.impure', 'trusted.overlay.uuid'];
  const kept = [
    'trusted.overlay.metacopy',
    'trusted.overlay.redirect',
    'trusted.overlay.overlay.origin',
    'trusted.mine',
  ];
  for (const name of [...dropped, ...kept]) set(name);
  copyTree(paths);
  expect((listxattr(join(paths.to, 'file')) as string[]).sort()).toEqual([...kept].sort());
  expect(getxattr(join(paths.to, 'file'), 'trusted.mine')).toEqual(Buffer.from('v'));
});

test('holes stay holes', () => {
  const paths = places();
  const file = join(paths.from, 'sparse');
  writeFileSync(file, 'head');
  truncateSync(file, 64 * 1024 * 1024);
  copyTree(paths);
  const copy = lstatSync(join(paths.to, 'sparse'));
  expect(copy.size).toBe(64 * 1024 * 1024);
  expect(copy.blocks).toBeLessThan(100);
  execFileSync('cmp', [file, join(paths.to, 'sparse')]);
});

test('a tree deeper than the usual limit of open files', () => {
  const paths = places();
  execFileSync(
    'sh',
    ['-c', 'i=0; while [ $i -lt 700 ]; do mkdir d && cd -P d || exit 1; i=$((i+1)); done; echo x > end'],
    {
      cwd: paths.from,
    },
  );
  copyTree(paths);
  expect(snapshot(paths.to).size).toBe(snapshot(paths.from).size);
});
