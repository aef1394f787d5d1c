// The power goes: the file system that holds the layers is shut down, without a last write, right after fsync was answered
// through the mount. What was synced is there after the restart; what was not is old or new.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  AT_FDCWD,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  close,
  fchmodat,
  fdatasync,
  fsync,
  ftruncate,
  linkat,
  mkdirat,
  must,
  openat,
  pwrite,
  renameat2,
  setxattr,
  unlinkat,
  write,
} from '../../src/sys/index.js';
import { backendGate, loggedErrors, mountStaged, stage } from '../helpers/backends.js';
import type { Mounted, Staged } from '../helpers/backends.js';
import { killServer, leftInWork, shownBy, treeSince } from '../helpers/death.js';
import { dir, file, link } from '../helpers/layer-spec.js';
import type { LayerNode, LayerSpec } from '../helpers/layer-spec.js';
import { LoopImage } from '../helpers/loop-image.js';
import type { ImageKind } from '../helpers/loop-image.js';
import { MAP_SHARED, Mapping, PROT_READ, PROT_WRITE } from '../helpers/native.js';
import { requires } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';
import { expectSameTree, withoutTimes } from '../helpers/tree.js';
import type { Tree } from '../helpers/tree.js';

const gate = backendGate('veneer');
const kernelGate = backendGate('kernel');
const started = Math.floor(Date.now() / 1000);

let temp: TempDir;
afterEach(() => temp.remove());

const BIG = randomBytes(700_000);
/** Lower files of all sizes, each with the bytes of its number: a mix-up shows. */
const MANY = Array.from({ length: 60 }, (_, n) => Buffer.alloc(1 + n * 5000, n + 1));

const LOWER: LayerSpec = {
  big: file(BIG),
  big2: file(BIG),
  small: 'small',
  replaced: 'replaced',
  removed: 'removed',
  'd/e/f': 'f',
  'moved/g': 'g',
  h1: file(BIG),
  h2: link('h1'),
  s: 'sync',
  mapped: file(Buffer.alloc(8192, 'm')),
  ...Object.fromEntries(MANY.map((bytes, n): [string, LayerNode] => [`many/${String(n)}`, file(bytes)])),
  'shared/x': dir(),
};

async function onImage(kind: ImageKind): Promise<{ image: LoopImage; staged: Staged }> {
  temp = tempDir(kind);
  const image = new LoopImage(temp.path, kind);
  const base = path.join(image.mountpoint, 'layers');
  mkdirSync(base, { mode: 0o755 });
  const staged = stage(base, { lower: [LOWER], upper: {} }, 'kernel');
  // The layers themselves are on disk; a mount point outside stays reachable when the disk does not.
  const mountpoint = path.join(temp.path, 'mnt');
  mkdirSync(mountpoint);
  await image.unmount();
  image.mount();
  return { image, staged: { ...staged, mountpoint } };
}

async function losePower(image: LoopImage, mounted: Mounted): Promise<void> {
  image.shutDown();
  await killServer(mounted);
  await image.restart();
}

function withFd(at: string, flags: number, work: (fd: number) => void): void {
  const fd = must(openat(AT_FDCWD, at, flags, 0o644), 'open', at);
  try {
    work(fd);
  } finally {
    close(fd);
  }
}

const syncDirectory = (at: string): void => {
  withFd(at, O_RDONLY | O_DIRECTORY, (fd) => void must(fsync(fd), 'fsync', at));
};

/** Each ends with a sync of what it changed; what a file's own fsync covers needs no other one. */
const SYNCED: Readonly<Record<string, (root: string) => void>> = {
  'a new file': (root) => {
    withFd(`${root}/new`, O_CREAT | O_WRONLY, (fd) => {
      must(write(fd, BIG), 'write');
      must(fsync(fd), 'fsync');
    });
    syncDirectory(root);
  },
  'a new file, by fdatasync': (root) => {
    withFd(`${root}/new`, O_CREAT | O_WRONLY, (fd) => {
      must(write(fd, BIG), 'write');
      must(fdatasync(fd), 'fdatasync');
    });
    syncDirectory(root);
  },
  'an append to a lower file': (root) => {
    withFd(`${root}/big`, O_WRONLY | O_APPEND, (fd) => {
      must(write(fd, Buffer.from('appended')), 'write');
      must(fsync(fd), 'fsync');
    });
  },
  'an append to a lower file with links': (root) => {
    withFd(`${root}/h1`, O_WRONLY | O_APPEND, (fd) => {
      must(write(fd, Buffer.from('appended')), 'write');
      must(fsync(fd), 'fsync');
    });
  },
  'O_TRUNC of a lower file': (root) => {
    withFd(`${root}/big`, O_WRONLY | O_TRUNC, (fd) => {
      must(write(fd, Buffer.from('short')), 'write');
      must(fsync(fd), 'fsync');
    });
  },
  'ftruncate of a lower file': (root) => {
    withFd(`${root}/big`, O_RDWR, (fd) => {
      must(ftruncate(fd, 123_456), 'ftruncate');
      must(fsync(fd), 'fsync');
    });
  },
  'a write in the middle of a lower file, by fdatasync': (root) => {
    withFd(`${root}/big`, O_RDWR, (fd) => {
      must(pwrite(fd, Buffer.from('written'), 4000), 'write');
      must(fdatasync(fd), 'fdatasync');
    });
  },
  'a write with O_SYNC': (root) => {
    const O_SYNC = 0o4010000;
    withFd(`${root}/s`, O_WRONLY | O_SYNC, (fd) => void must(pwrite(fd, Buffer.from('O_SYNC'), 0), 'write'));
  },
  'msync of a mapping': (root) => {
    withFd(`${root}/mapped`, O_RDWR, (fd) => {
      // msync goes past the server, as an fdatasync does to the file below. That one does not write the name of a
      // copy that is new on ext4, so such a copy may be lost, as it is with kernel overlayfs.
      must(fsync(fd), 'fsync');
      const map = Mapping.of(fd, { length: 8192, prot: PROT_READ | PROT_WRITE, flags: MAP_SHARED }) as Mapping;
      map.store(4000, Buffer.from('mapped'));
      must(map.sync(), 'msync');
      map.unmap();
    });
  },
  'a file written beside and renamed over a lower one': (root) => {
    withFd(`${root}/replaced.new`, O_CREAT | O_WRONLY, (fd) => {
      must(write(fd, BIG), 'write');
      must(fsync(fd), 'fsync');
    });
    const from = { dirfd: AT_FDCWD, name: `${root}/replaced.new` };
    must(renameat2(from, { dirfd: AT_FDCWD, name: `${root}/replaced` }), 'rename');
    syncDirectory(root);
  },
  'chmod and setxattr of a lower file': (root) => {
    must(fchmodat(AT_FDCWD, `${root}/small`, 0o600), 'chmod');
    must(setxattr(`${root}/small`, 'user.a', Buffer.from('v')), 'setxattr');
    withFd(`${root}/small`, O_RDONLY, (fd) => void must(fsync(fd), 'fsync'));
  },
  'a file in a new directory in a lower one': (root) => {
    must(mkdirat(AT_FDCWD, `${root}/d/e/new`, 0o755), 'mkdir');
    withFd(`${root}/d/e/new/file`, O_CREAT | O_WRONLY, (fd) => {
      must(write(fd, BIG), 'write');
      must(fsync(fd), 'fsync');
    });
    syncDirectory(`${root}/d/e/new`);
    syncDirectory(`${root}/d/e`);
  },
  'unlink of a lower file': (root) => {
    must(unlinkat(AT_FDCWD, `${root}/removed`), 'unlink');
    syncDirectory(root);
  },
  'rename of a lower directory': (root) => {
    const [from, to] = ['moved', 'd/there'].map((name) => ({ dirfd: AT_FDCWD, name: `${root}/${name}` }));
    must(renameat2(from!, to!), 'rename');
    syncDirectory(root);
    syncDirectory(`${root}/d`);
  },
  'a link of a lower file': (root) => {
    const [from, to] = ['big2', 'd/linked'].map((name) => ({ dirfd: AT_FDCWD, name: `${root}/${name}` }));
    must(linkat(from!, to!), 'link');
    syncDirectory(`${root}/d`);
  },
};

for (const kind of ['ext4', 'xfs'] as const) {
  const needs = requires(kind);
  describe.skipIf(gate.skip || needs.skip)(needs.title(`loss of power, ${kind}`), () => {
    test.each(Object.entries(SYNCED))('keeps %s', async (name, change) => {
      const { image, staged } = await onImage(kind);
      const mounted = await mountStaged('veneer', staged);
      change(mounted.root);
      const synced = treeSince(mounted.root, started);
      await losePower(image, mounted);
      // Syncing data is not to write times.
      const seen = /fdatasync|msync/.test(name) ? (tree: Tree): Tree => withoutTimes(tree) : (tree: Tree): Tree => tree;
      expectSameTree(seen(synced), seen(await shownBy('veneer', staged, started)));
      expect(leftInWork(staged)).toEqual([]);
      if (!kernelGate.skip) expectSameTree(seen(synced), seen(await shownBy('kernel', staged, started)));
    });

    test('leaves whole files of copies that nobody synced', async () => {
      const { image, staged } = await onImage(kind);
      const mounted = await mountStaged('veneer', staged);
      MANY.forEach((_, n) => must(fchmodat(AT_FDCWD, `${mounted.root}/many/${String(n)}`, 0o600), 'chmod'));
      // The journal may be written at any time, for somebody else.
      withFd(path.join(image.mountpoint, 'other'), O_CREAT | O_WRONLY, (fd) => void must(fsync(fd), 'fsync'));
      await losePower(image, mounted);
      const again = await mountStaged('veneer', staged);
      MANY.forEach((bytes, n) => {
        const at = `${again.root}/many/${String(n)}`;
        expect(readFileSync(at).equals(bytes), at).toBe(true);
        expect([0o644, 0o600]).toContain(statSync(at).mode & 0o7777);
      });
      await again.unmount();
    });

    test('loses nothing once the mount was un-mounted', async () => {
      const { image, staged } = await onImage(kind);
      const mounted = await mountStaged('veneer', staged);
      withFd(`${mounted.root}/new`, O_CREAT | O_WRONLY, (fd) => void must(write(fd, BIG), 'write'));
      withFd(`${mounted.root}/big`, O_WRONLY | O_APPEND, (fd) => void must(write(fd, Buffer.from('more')), 'write'));
      must(unlinkat(AT_FDCWD, `${mounted.root}/removed`), 'unlink');
      const written = treeSince(mounted.root, started);
      await mounted.unmount();
      image.shutDown();
      await image.restart();
      expectSameTree(written, await shownBy('veneer', staged, started));
    });
  });
}

describe.skipIf(gate.skip)('volatile', () => {
  const staging = (): Staged => {
    temp = tempDir('volatile');
    mkdirSync(path.join(temp.path, 'layers'), { mode: 0o755 });
    return stage(path.join(temp.path, 'layers'), { lower: [{ f: 'f' }], upper: {} }, 'kernel');
  };
  const marker = (staged: Staged): string => path.join(staged.work, 'work/incompat/volatile');

  test('refuses the next mount after the death of the server, and says how to go on', async () => {
    const staged = staging();
    const mounted = await mountStaged('veneer', staged, { volatile: true });
    withFd(`${mounted.root}/new`, O_CREAT | O_WRONLY, (fd) => void must(fsync(fd), 'fsync'));
    await killServer(mounted);
    expect(existsSync(marker(staged))).toBe(true);
    const refusal = mountStaged('veneer', staged);
    await expect(refusal).rejects.toMatchObject({
      message: `'${staged.work}' belongs to a volatile mount that was not un-mounted cleanly`,
      hint: expect.stringContaining(`remove ${marker(staged)}`) as string,
    });
    if (!kernelGate.skip) await expect(mountStaged('kernel', staged)).rejects.toThrow(/EINVAL|invalid/i);
    must(unlinkat(AT_FDCWD, marker(staged), 0x200), 'rmdir');
    const again = await mountStaged('veneer', staged);
    expect(existsSync(`${again.root}/new`)).toBe(true);
    await again.unmount();
  });

  test('leaves no marker after an un-mount', async () => {
    const staged = staging();
    const mounted = await mountStaged('veneer', staged, { volatile: true });
    expect(existsSync(marker(staged))).toBe(true);
    await mounted.unmount();
    expect(leftInWork(staged)).toEqual([]);
    await (await mountStaged('veneer', staged)).unmount();
  });

  test('a mount of the kernel that was cut off is refused, too', async () => {
    const staged = staging();
    mkdirSync(marker(staged), { recursive: true });
    await expect(mountStaged('veneer', staged)).rejects.toThrow(/volatile mount that was not un-mounted cleanly/);
  });
});

test.skipIf(gate.skip)('volatile does not wait for the disk', async () => {
  temp = tempDir('volatile');
  mkdirSync(path.join(temp.path, 'layers'), { mode: 0o755 });
  const staged = stage(path.join(temp.path, 'layers'), { lower: [{ f: 'f' }], upper: {} }, 'kernel');
  const mounted = await mountStaged('veneer', staged, { volatile: true });
  withFd(`${mounted.root}/f`, O_RDWR, (fd) => expect(fsync(fd)).toBe(0));
  await mounted.unmount();
  expect(loggedErrors(staged)).toEqual([]);
});
