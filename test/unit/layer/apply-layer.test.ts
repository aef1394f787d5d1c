import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { applyLayer } from '../../../src/layer/index.js';
import { END, member, pax } from './support.js';
import { apply, look, shape, temporary } from './tree.js';

const dir = (name: string, fields = {}) => member({ name: `${name}/`, typeflag: '5', mode: 0o755, ...fields });
const file = (name: string, content = '', fields = {}) => member({ name, ...fields }, content);
const link = (name: string, linkname: string) => member({ name, typeflag: '1', linkname });
const symlink = (name: string, linkname: string) => member({ name, typeflag: '2', linkname, mode: 0o777 });

async function unpacked(...members: Buffer[]) {
  const { target } = await apply([...members, END]);
  return target;
}

describe('what applyLayer unpacks', () => {
  it('keeps owner, mode, times, attributes and capabilities', async () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const target = await unpacked(
      dir('d', { uid: 10, gid: 20, mode: 0o2711, mtime: 100 }),
      pax({
        mtime: '123.000000001',
        uid: '3000000',
        'SCHILY.xattr.security.capability': capability,
        'SCHILY.xattr.user.x': 'y',
      }),
      file('d/suid', 'abc', { mode: 0o4755, gid: 7 }),
      pax({ mtime: '-1.5' }),
      symlink('d/link', '/etc/\xff'),
      member({ name: 'd/null', typeflag: '3', devmajor: 1, devminor: 3, mode: 0o666 }),
      member({ name: 'd/disk', typeflag: '4', devmajor: 259, devminor: 300, mode: 0o660 }),
      member({ name: 'd/pipe', typeflag: '6', mode: 0o600, mtime: 5 }),
      link('d/again', 'd/suid'),
      dir('closed', { mode: 0 }),
      file('closed/inside'),
    );
    const seen = look(target);
    expect(seen['d']).toMatchObject({ type: 'dir', mode: '2711', owner: '10:20', mtime: '100.000000000' });
    expect(seen['d/suid']).toMatchObject({
      mode: '4755',
      owner: '3000000:7',
      mtime: '123.000000001',
      content: 'abc',
      sameAs: 'd/again',
    });
    expect(seen['d/suid']?.xattrs).toEqual({ 'security.capability': capability.toString('latin1'), 'user.x': 'y' });
    expect(seen['d/link']).toMatchObject({ target: '/etc/\xff', mtime: '-2.500000000' });
    expect(seen['d/null']).toMatchObject({ device: '1:3', mode: '666' });
    expect(seen['d/disk']).toMatchObject({ device: '259:300', mode: '660' });
    expect(seen['d/pipe']).toMatchObject({ type: 'fifo', mode: '600', mtime: '5.000000000' });
    expect(seen['closed']).toMatchObject({ mode: '0' });
  });

  it('describes the root', async () => {
    const target = await unpacked(dir('.', { mode: 0o700, uid: 3, mtime: 9 }), file('./f'));
    expect(look(target)['.']).toMatchObject({ mode: '700', owner: '3:0', mtime: '9.000000000' });
  });

  it('makes missing parents 0755, owned by root, whatever lies above', async () => {
    const target = await unpacked(dir('s', { mode: 0o2777, gid: 5 }), file('s/a/b/f'));
    expect(look(target)['s/a/b']).toMatchObject({ mode: '755', owner: '0:0' });
  });

  it('gives files the owner and the mode of the archive, whatever the directory and the umask say', async () => {
    const modes = [0, 0o400, 0o600, 0o644, 0o666, 0o755, 0o777, 0o1644, 0o2755, 0o4711];
    const target = await unpacked(
      dir('s', { mode: 0o2777, gid: 5 }),
      ...modes.map((mode) => file(`s/${mode.toString(8)}`, 'x', { mode })),
      dir('s/d'),
      file('s/d/f'),
      dir('s', { mode: 0o755 }),
      file('s/after'),
    );
    const seen = look(target);
    for (const mode of modes)
      expect(seen[`s/${mode.toString(8)}`]).toMatchObject({ mode: mode.toString(8), owner: '0:0' });
    expect(seen['s/d/f']).toMatchObject({ owner: '0:0' });
    expect(seen['s/after']).toMatchObject({ owner: '0:0' });
  });

  it('lets nothing inherit the default ACL of a directory, and sets it', async () => {
    // struct posix_acl_xattr: version 2; user rwx, group r-x, mask r-x, other ---; a named user, too.
    const acl = Buffer.from(
      '02000000' +
        '01000700ffffffff' +
        '02000600e8030000' +
        '04000500ffffffff' +
        '10000700ffffffff' +
        '20000000ffffffff',
      'hex',
    );
    const target = await unpacked(
      pax({ 'SCHILY.xattr.system.posix_acl_default': acl }),
      dir('d'),
      file('d/f', 'x'),
      dir('d/e', { mode: 0o711 }),
      file('d/implicit/f'),
    );
    const seen = look(target);
    expect(seen['d']?.xattrs).toEqual({ 'system.posix_acl_default': acl.toString('latin1') });
    for (const name of ['d/f', 'd/e', 'd/implicit', 'd/implicit/f']) expect(seen[name]?.xattrs).toBeUndefined();
    expect(seen['d/f']).toMatchObject({ mode: '644' });
    expect(seen['d/e']).toMatchObject({ mode: '711' });
  });

  it('hashes and counts every byte, trailing ones, too, of a compressed source', async () => {
    const plain = Buffer.concat([file('f', 'x'), END, Buffer.alloc(3000, 7)]);
    const result = await apply(gzipSync(plain));
    const hex = createHash('sha256').update(plain).digest('hex');
    expect(result).toMatchObject({
      diffId: `sha256:${hex}`,
      uncompressedSize: plain.length,
      entries: 1,
      contentSize: 1,
    });
  });

  it('normalises absolute names and leading dots', async () => {
    const target = await unpacked(dir('/abs'), file('./././/abs//f'), link('/abs/hard', '/abs/f'));
    expect(shape(target)).toEqual({ abs: 'dir', 'abs/f': 'file', 'abs/hard': 'file' });
  });

  it('keeps names that are not UTF-8, and any other byte', async () => {
    expect(shape(await unpacked(file('\xff\n"\\ '), file('caf\xc3\xa9')))).toEqual({
      '\xff\n"\\ ': 'file',
      'caf\xc3\xa9': 'file',
    });
  });

  it('escapes attributes that look like marks of the overlay', async () => {
    const target = await unpacked(
      pax({ 'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.fuseoverlayfs.opaque': 'y' }),
      dir('d'),
    );
    expect(look(target)['d']?.xattrs).toEqual({ 'trusted.overlay.overlay.opaque': 'y' });
  });

  it('passes over the bookkeeping of AUFS', async () => {
    expect(
      shape(await unpacked(dir('.wh..wh.plnk'), file('.wh..wh.plnk/1.2'), file('.wh..wh.aufs'), file('f'))),
    ).toEqual({ f: 'file' });
  });

  it('unpacks 100 levels of directories', async () => {
    const deep = Array<string>(100).fill('d').join('/');
    const target = await unpacked(pax({ path: `${deep}/f` }), file('x', 'deep'));
    expect(readFileSync(path.join(target, deep, 'f'), 'utf8')).toBe('deep');
  });
});

describe('a path that comes twice', () => {
  it('gets the content and attributes of the later entry', async () => {
    const target = await unpacked(file('f', 'old', { mode: 0o777 }), link('g', 'f'), file('f', 'new'));
    expect(look(target)).toMatchObject({ f: { content: 'new', mode: '644' }, g: { content: 'old', mode: '777' } });
  });

  it('keeps what is in a directory that comes again, and replaces its attributes', async () => {
    const target = await unpacked(
      pax({ 'SCHILY.xattr.user.a': '1' }),
      dir('d', { mode: 0o700 }),
      file('d/f'),
      dir('d', { uid: 4, mtime: 3 }),
    );
    expect(shape(target)).toEqual({ d: 'dir', 'd/f': 'file' });
    expect(look(target)['d']).toMatchObject({ mode: '755', owner: '4:0', mtime: '3.000000000' });
    expect(look(target)['d']).not.toHaveProperty('xattrs');
  });

  it('replaces a directory with all in it by anything else, and the other way round', async () => {
    const target = await unpacked(
      dir('d'),
      dir('d/e'),
      file('d/e/f'),
      symlink('d', 'x'),
      file('g'),
      dir('g'),
      file('g/h'),
    );
    expect(shape(target)).toEqual({ d: 'symlink', g: 'dir', 'g/h': 'file' });
  });

  it('replaces a file by a hard link', async () => {
    const target = await unpacked(file('a', 'a'), file('b', 'b'), link('b', 'a'));
    expect(look(target)['b']).toMatchObject({ content: 'a', sameAs: 'a' });
  });
});

describe('whiteouts', () => {
  it('become devices 0/0 and opaque directories', async () => {
    const target = await unpacked(dir('d'), file('d/.wh.gone'), dir('o'), file('o/.wh..wh..opq'), file('p/.wh.q'));
    expect(shape(target)).toEqual({ d: 'dir', 'd/gone': 'gone', o: 'opaque', p: 'dir', 'p/q': 'gone' });
  });

  for (const order of ['before', 'after']) {
    it(`do not act on siblings that come ${order} them`, async () => {
      const marks = [file('.wh.f'), file('.wh.d'), file('e/.wh..wh..opq')];
      const entries = [file('f', 'new'), dir('d'), file('d/x'), dir('e'), file('e/x')];
      const target = await unpacked(...(order === 'before' ? [...entries, ...marks] : [...marks, ...entries]));
      expect(shape(target)).toEqual({ f: 'file', d: 'opaque', 'd/x': 'file', e: 'opaque', 'e/x': 'file' });
    });
  }

  it('are not made where an opaque directory hides all', async () => {
    const target = await unpacked(
      file('o/.wh..wh..opq'),
      file('o/.wh.x'),
      file('o/s/.wh.y'),
      file('.wh.r'),
      dir('r'),
      file('r/.wh.z'),
    );
    expect(shape(target)).toEqual({ o: 'opaque', 'o/s': 'dir', r: 'opaque' });
  });

  it('leave the times of their directory alone', async () => {
    const target = await unpacked(
      dir('d', { mtime: 77 }),
      file('d/.wh.x'),
      file('d/e/.wh.y'),
      dir('d/e', { mtime: 88 }),
    );
    expect(look(target)).toMatchObject({ d: { mtime: '77.000000000' }, 'd/e': { mtime: '88.000000000' } });
  });

  it('are made only where they hide something, if the layers below are known', async () => {
    const lower = await unpacked(file('a'), dir('d'), file('d/x'));
    const archive = [file('.wh.a'), file('.wh.b'), file('d/.wh.x'), file('d/.wh.y'), dir('n'), file('n/.wh.x'), END];
    const { target } = await apply(archive, { lower: [lower] });
    expect(shape(target)).toEqual({ a: 'gone', d: 'dir', 'd/x': 'gone', n: 'dir' });
    expect(shape((await apply(archive, { lower: [] })).target)).toEqual({ d: 'dir', n: 'dir' });
  });

  it('say nothing below what is no directory, in whatever order they come', async () => {
    const lower = await unpacked(dir('d', { mode: 0o700, uid: 5 }), file('d/x'), file('d/e/y'));
    const marks = [file('d/.wh.x'), file('d/e/.wh.y'), file('d/.wh..wh..opq')];
    const orders = [
      [file('d', 'now'), ...marks],
      [...marks, file('d', 'now')],
      [...marks, symlink('d', '/etc')],
    ];
    for (const archive of orders) {
      const { target } = await apply([...archive, END], { lower: [lower] });
      expect(Object.keys(shape(target))).toEqual(['d']);
      expect(look(target)['d']).toMatchObject({ owner: '0:0', mtime: '0.000000000' });
    }
  });

  it('hide by name what an opaque root hides', async () => {
    const lower = await unpacked(file('a'), dir('d'), file('f'), dir('e'), file('.wh.x'));
    const { target } = await apply([file('.wh..wh..opq'), dir('d'), file('f', 'new'), END], { lower: [lower] });
    expect(shape(target)).toEqual({ a: 'gone', d: 'opaque', e: 'gone', f: 'file' });
  });
});

describe('layers below', () => {
  const below = () =>
    unpacked(
      dir('d', { mode: 0o1777, uid: 9, mtime: 4 }),
      pax({ 'SCHILY.xattr.user.k': 'v' }),
      file('d/f', 'from below', { mode: 0o4755, uid: 8, mtime: 6 }),
      symlink('d/s', 'f'),
    );

  it('give a copy to a hard link', async () => {
    const lower = await below();
    const { target } = await apply([link('hard', 'd/f'), link('soft', 'd/s'), END], { lower: [lower] });
    expect(look(target)['hard']).toMatchObject({
      content: 'from below',
      mode: '4755',
      owner: '8:0',
      mtime: '6.000000000',
      xattrs: { 'user.k': 'v' },
    });
    expect(look(target)['soft']).toMatchObject({ type: 'symlink', target: 'f' });
  });

  it('decide how directories look that no entry describes', async () => {
    const lower = await below();
    const { target } = await apply([file('d/new'), END], { lower: [lower] });
    expect(look(target)['d']).toMatchObject({ mode: '1777', owner: '9:0', mtime: '4.000000000' });
  });
});

describe('what applyLayer refuses', () => {
  it('should not open, change or follow a planted symlink that a later entry replaces', async () => {
    const outside = temporary();
    const victim = path.join(outside, 'victim');
    writeFileSync(victim, 'safe', { mode: 0o600 });
    const before = lstatSync(victim, { bigint: true });
    const { target } = await apply([
      symlink('s', victim),
      file('s', 'evil', { mode: 0o777, mtime: 1 }),
      symlink('t', victim),
      dir('t'),
      symlink('u', victim),
      END,
    ]);
    expect(readFileSync(victim, 'utf8')).toBe('safe');
    expect(lstatSync(victim, { bigint: true })).toMatchObject({
      mode: before.mode,
      mtimeNs: before.mtimeNs,
      ctimeNs: before.ctimeNs,
    });
    expect(shape(target)).toEqual({ s: 'file', t: 'dir', u: 'symlink' });
  });

  it('should fail on a truncated archive in the middle of a file, and name it', async () => {
    const archive = Buffer.concat([file('first'), file('second', 'x'.repeat(5000))]).subarray(0, 3000);
    await expect(apply(archive)).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/entry 'second'/) as unknown,
    });
  });

  it('should let its source go when it fails', async () => {
    let closed = false;
    const endless = (async function* () {
      try {
        yield await Promise.resolve(file('../evil'));
        for (;;) yield await Promise.resolve(file('f'));
      } finally {
        closed = true;
      }
    })();
    await expect(applyLayer({ source: endless, target: temporary() })).rejects.toMatchObject({ code: 'integrity' });
    expect(closed).toBe(true);
  });

  it('should leave no file open, however it ends', async () => {
    const { readdirSync } = await import('node:fs');
    await apply([file('warm'), END]);
    const count = () => readdirSync('/proc/self/fd').length;
    const before = count();
    await apply([dir('a'), file('a/b/c/d'), END]);
    await expect(apply([dir('a'), file('a/b/c/d'), file('..'), END])).rejects.toThrow();
    expect(count()).toBe(before);
  });
});

describe('an archive without an end', () => {
  const whole = Buffer.concat([dir('d'), file('d/f', 'content')]);
  const padding = 512 - 'content'.length;

  it.each([
    ['after an entry', whole],
    ['after the content of an entry', whole.subarray(0, -padding)],
    ['in the padding of an entry', whole.subarray(0, -10)],
    ['after half of its end marker', Buffer.concat([whole, END.subarray(0, 512)])],
  ])('is unpacked where its digest is known: %s', async (_what, archive) => {
    const { target, diffId } = await apply([archive], { unterminated: true });
    expect(shape(target)).toEqual({ d: 'dir', 'd/f': 'file' });
    expect(diffId).toBe(`sha256:${createHash('sha256').update(archive).digest('hex')}`);
  });

  it.each([
    ['in the content of an entry', whole.subarray(0, -padding - 1)],
    ['in a header', Buffer.concat([whole, file('g').subarray(0, 100)])],
    ['after a header that describes another one', Buffer.concat([whole, pax({ path: 'g' })])],
    ['before its first entry', Buffer.alloc(0)],
  ])('is refused nevertheless when it ends %s', async (_what, archive) => {
    await expect(apply([archive], { unterminated: true })).rejects.toMatchObject({ code: 'integrity' });
  });
});
