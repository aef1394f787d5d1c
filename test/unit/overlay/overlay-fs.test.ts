// The file system driven by hand, in orders in which a kernel drives it only now and then.

import { linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { Attr, Entry, Opened } from '../../../src/fuse/index.js';
import type { DirectorySink } from '../../../src/fuse/index.js';
import type { Overlay } from '../../../src/overlay/overlay.js';
import { OverlayFs } from '../../../src/overlay/overlay-fs.js';
import { openOverlay } from '../../../src/overlay/serve.js';
import { O_RDONLY, O_WRONLY, S_IFREG } from '../../../src/sys/index.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';

const gate = requires('root', 'mknod', 'trusted-xattr');
const ROOT = 1;
const scratch = tempDir('overlay-fs');
const ends: (() => void)[] = [];
afterAll(() => {
  for (const end of ends) end();
  scratch.remove();
});

/** Layers of their own: a file with two names in two directories, and a directory of many. */
function mounted(name: string, passthrough = false): { at: string; o: Overlay; fs: OverlayFs } {
  const at = `${scratch.path}/${name}`;
  for (const dir of ['l/a', 'l/b', 'l/many', 'u', 'w', 'm']) mkdirSync(`${at}/${dir}`, { recursive: true });
  writeFileSync(`${at}/l/a/f`, 'x');
  linkSync(`${at}/l/a/f`, `${at}/l/b/f`);
  for (let index = 0; index < 300; index += 1) writeFileSync(`${at}/l/many/${String(index)}`, '');
  const o = openOverlay({
    lowerdir: [`${at}/l`],
    upperdir: `${at}/u`,
    workdir: `${at}/w`,
    mountpoint: `${at}/m`,
    volatile: true,
    passthrough: 'all',
  });
  const fs = new OverlayFs(o);
  fs.init({
    passthrough,
    openBacking: () => (passthrough ? 1 : -95),
    closeBacking: () => undefined,
    invalidateAttributes: () => undefined,
  });
  ends.push(() => {
    fs.destroy();
  });
  return { at, o, fs };
}

function look(fs: OverlayFs, parent: number, name: string): { id: number; attr: Attr } {
  const entry = new Entry();
  expect(fs.lookup(parent, name, entry)).toBe(0);
  return { id: entry.nodeid, attr: entry.attr };
}

/** All entries from a cookie on, as READDIRPLUS takes them: each is a reference. */
function readdirplus(fs: OverlayFs, nodeid: number): number[] {
  const ids: number[] = [];
  const sink: DirectorySink = {
    plus: true,
    entry: new Entry(),
    fits: () => true,
    add: () => ids.push(sink.entry.nodeid),
  };
  expect(fs.readdir(nodeid, 0, sink)).toBe(0);
  return ids;
}

describe.skipIf(gate.skip)(gate.title('what the kernel gives back'), () => {
  test('is gone: the table is as small as before', () => {
    const { o, fs } = mounted('forget');
    const many = look(fs, ROOT, 'many').id;
    look(fs, many, '7');
    const listed = readdirplus(fs, many);
    expect(listed.filter((id) => id !== 0).length).toBe(300);
    expect(o.nodes.size).toBe(302);
    for (const id of listed) if (id !== 0) fs.forget(id, 1);
    expect(o.nodes.size).toBe(3);
    fs.forget(look(fs, many, '7').id, 2);
    fs.forget(many, 1);
    expect(o.nodes.size).toBe(1);
    expect(() => fs.getattr(many, undefined, new Attr())).toThrow(expect.objectContaining({ code: 'ESTALE' }));
  });

  test('is not counted by a listing without attributes', () => {
    const { o, fs } = mounted('plain');
    const many = look(fs, ROOT, 'many').id;
    const sink: DirectorySink = { plus: false, entry: new Entry(), fits: () => true, add: () => undefined };
    fs.readdir(many, 0, sink);
    expect(o.nodes.size).toBe(2);
  });
});

describe.skipIf(gate.skip)(gate.title('a file with two names, one of whose directories was given back'), () => {
  /** b/f keeps the node; the directory a is looked up anew. */
  function forgetOneParent(name: string): { at: string; fs: OverlayFs; newA: number; file: number } {
    const { at, fs } = mounted(name);
    const [a, b] = [look(fs, ROOT, 'a').id, look(fs, ROOT, 'b').id];
    const file = look(fs, a, 'f').id;
    expect(look(fs, b, 'f').id).toBe(file);
    fs.forget(a, 1);
    const newA = look(fs, ROOT, 'a').id;
    expect(newA).not.toBe(a);
    return { at, fs, newA, file };
  }

  test('is copied up below the directory as it is now', () => {
    const { at, fs, newA, file } = forgetOneParent('copy-up');
    expect(fs.setattr(newA, { mode: 0o700 }, new Attr())).toBe(0);
    expect(fs.setattr(file, { mode: 0o600 }, new Attr())).toBe(0);
    expect(statSync(`${at}/u/a`).mode & 0o777).toBe(0o700);
    const again = look(fs, newA, 'f');
    expect([again.id, again.attr.mode & 0o777, again.attr.nlink]).toEqual([file, 0o600, 2]);
  });

  test('does not bring back a directory that was renamed', () => {
    const { fs, file } = forgetOneParent('rename');
    expect(fs.rename({ parent: ROOT, name: 'a', newParent: ROOT, newName: 'c', flags: 0 })).toBe(0);
    expect(fs.setattr(file, { mode: 0o600 }, new Attr())).toBe(0);
    expect(look(fs, ROOT, 'a').id).toBe(0);
    expect(look(fs, look(fs, ROOT, 'c').id, 'f').attr.mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(gate.skip)(gate.title('a file that got its second name here'), () => {
  const make = (fs: OverlayFs): number => {
    const entry = new Entry();
    expect(fs.mknod(ROOT, 'new', { mode: 0o100644, umask: 0, rdev: 0, caller: { uid: 0, gid: 0 } }, entry)).toBe(0);
    return entry.nodeid;
  };
  const copyUp = async (fs: OverlayFs): Promise<number> => {
    const { id } = look(fs, look(fs, ROOT, 'many').id, '7');
    expect(await fs.setattr(id, { mode: 0o600 }, new Attr())).toBe(0);
    return id;
  };

  test.each([
    ['made', make],
    ['copied up', copyUp],
  ])('%s, is found by it when its directory was given back', async (name, prepare) => {
    const { fs } = mounted(`link-${name}`);
    const a = look(fs, ROOT, 'a').id;
    const file = await prepare(fs);
    const entry = new Entry();
    expect(fs.link(file, a, 'link', entry)).toBe(0);
    fs.forget(a, 1);
    expect(look(fs, look(fs, ROOT, 'a').id, 'link').id).toBe(file);
  });
});

describe.skipIf(gate.skip)(gate.title('a lower file that is read and copied up for a writer'), () => {
  const caller = { uid: 0, gid: 0 };
  const open = (fs: OverlayFs, id: number, flags: number): [unknown, number] => {
    const opened = new Opened();
    return [fs.open(id, { caller, flags, killSuidgid: false }, opened), opened.fh];
  };

  test('is found through its reader, though the kernel gives its new node back and it gets another name', () => {
    const { at, o, fs } = mounted('successor', true);
    const many = look(fs, ROOT, 'many').id;
    const reader = look(fs, many, '7').id;
    const [status, fh] = open(fs, reader, O_RDONLY);
    expect(status).toBe(0);
    expect(open(fs, reader, O_WRONLY)[0]).toBe(-errno.ESTALE);
    const writer = look(fs, many, '7').id;
    expect(writer).not.toBe(reader);
    fs.forget(writer, 1);
    expect(look(fs, many, '7').id).toBe(writer);
    fs.forget(writer, 1);
    expect(fs.rename({ parent: many, name: '7', newParent: many, newName: 'moved', flags: 0 })).toBe(0);
    const making = { caller, mode: S_IFREG | 0o644, umask: 0, rdev: 0 };
    expect(fs.mknod(many, '7', making, new Entry())).toBe(0);
    expect(fs.setattr(reader, { mode: 0o600 }, new Attr())).toBe(0);
    expect(['moved', '7'].map((name) => statSync(`${at}/u/many/${name}`).mode & 0o777)).toEqual([0o600, 0o644]);
    fs.release(reader, fh);
    fs.forget(reader, 1);
    // The root, the directory and the file just made.
    expect(o.nodes.size).toBe(3);
  });
});

describe.skipIf(gate.skip)(gate.title('inode numbers'), () => {
  test('stay the same over copy-up, also when nobody remembers the file below', () => {
    const { fs } = mounted('ino');
    const before = look(fs, look(fs, ROOT, 'many').id, '7');
    const ino = [before.attr.inoLow, before.attr.inoHigh];
    const attr = new Attr();
    expect(fs.setattr(before.id, { mode: 0o600 }, attr)).toBe(0);
    expect([attr.inoLow, attr.inoHigh]).toEqual(ino);
    // The kernel forgets everything: what is found now is the copy in the upper.
    fs.forget(before.id, 1);
    const after = look(fs, look(fs, ROOT, 'many').id, '7');
    expect(after.id).not.toBe(before.id);
    expect([after.attr.inoLow, after.attr.inoHigh, after.attr.mode & 0o777]).toEqual([...ino, 0o600]);
  });
});
