import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TarWriter } from '../../../src/layer/index.js';
import { encodeHeader } from '../../../src/layer/tar-writer.js';
import type { TarEntry, TarType } from '../../../src/layer/index.js';
import { entry, pack, unpack } from './support.js';

const bytes = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: 1, max: 255 }), { minLength, maxLength }).map((codes) => String.fromCharCode(...codes));
const id = fc.oneof(fc.nat(0x1fffff), fc.integer({ min: 0x200000, max: 0xfffffffe }));
const time = fc.record({
  sec: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  nsec: fc.oneof(fc.constant(0), fc.nat(999_999_999)),
});
const arbitraryEntry: fc.Arbitrary<TarEntry & { content: string }> = fc
  .record({
    path: fc.oneof(
      bytes(1, 90),
      bytes(90, 300),
      bytes(40, 150).map((name) => `${'p'.repeat(80)}/${name}`),
    ),
    type: fc.constantFrom<TarType[]>('file', 'hardlink', 'symlink', 'char', 'block', 'directory', 'fifo'),
    mode: fc.nat(0o7777),
    uid: id,
    gid: id,
    mtime: time,
    content: bytes(0, 1100),
    linkTarget: bytes(1, 150),
    devMajor: fc.nat(0xfff),
    devMinor: fc.nat(0xfffff),
    xattrs: fc.array(fc.tuple(bytes(1, 20), fc.uint8Array({ maxLength: 40 })), { maxLength: 3 }),
  })
  .map(({ type, content, linkTarget, devMajor, devMinor, xattrs, path, ...fields }) => ({
    ...fields,
    type,
    path: type === 'directory' ? `${path}/` : path,
    content: type === 'file' ? content : '',
    size: type === 'file' ? content.length : 0,
    linkTarget: type === 'symlink' || type === 'hardlink' ? linkTarget : '',
    devMajor: type === 'char' || type === 'block' ? devMajor : 0,
    devMinor: type === 'char' || type === 'block' ? devMinor : 0,
    xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value)])),
  }));

describe('TarWriter', () => {
  it('writes what readTar reads: reading is its inverse', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryEntry, { maxLength: 4 }), async (entries) => {
        expect(await unpack(await pack(entries))).toEqual(entries);
      }),
      { numRuns: 200 },
    );
  });

  it('writes plain ustar where everything fits', async () => {
    expect((await pack([entry('a'.repeat(100), { content: 'x' } as object)])).length).toBe(512 + 512 + 1024);
    const split = `${'d'.repeat(155)}/${'n'.repeat(100)}`;
    expect((await pack([entry(split)])).length).toBe(512 + 1024);
    expect((await pack([entry(`${split}x`)])).length).toBe(3 * 512 + 1024);
  });

  it('writes sizes above 8 GiB', () => {
    expect(encodeHeader(entry('big', { size: 2 ** 33 })).toString('latin1')).toContain('19 size=8589934592\n');
  });

  it('takes content from a function, in large chunks, and notices its early end', async () => {
    const sizes: number[] = [];
    const writer = new TarWriter((chunk) => void sizes.push(chunk.length));
    await writer.entry(entry('f', { size: 3_000_000 }));
    expect(await writer.contentFrom((into) => into.fill(1).length)).toBe(true);
    await writer.finish();
    expect(sizes).toEqual([1 << 20, 1 << 20, 512 + 3_000_320 + 1024 - (2 << 20)]);
    await writer.entry(entry('g', { size: 2 }));
    expect(await writer.contentFrom(() => 0)).toBe(false);
  });

  it('writes records in the byte order of their keys, whatever order they are given in', async () => {
    const xattrs = [['user.b', Buffer.from('2')] as const, ['user.a', Buffer.from('1')] as const];
    const [one, other] = [new Map(xattrs), new Map([...xattrs].reverse())];
    const archive = await pack([entry('f', { xattrs: one, uid: 3_000_000, mtime: { sec: -1, nsec: 5e8 } })]);
    expect(
      archive.equals(await pack([entry('f', { xattrs: other, uid: 3_000_000, mtime: { sec: -1, nsec: 5e8 } })])),
    ).toBe(true);
    expect(archive.toString('latin1', 512, 600)).toMatch(
      /^25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.b=2\n14 mtime=-0.5\n15 uid=3000000\n\0/,
    );
  });

  it('refuses content that does not match the header', async () => {
    const writer = new TarWriter(() => undefined);
    await writer.entry(entry('f', { size: 2 }));
    await expect(writer.finish()).rejects.toThrow(/2 bytes of content are missing/);
    await expect(writer.content(Buffer.alloc(3))).rejects.toThrow(/more content/);
  });

  const interop = [
    entry('dir/', { type: 'directory', mode: 0o1755, mtime: { sec: 5, nsec: 250_000_000 } }),
    {
      ...entry('dir/file', {
        mode: 0o4711,
        uid: 3_000_000,
        gid: 12,
        xattrs: new Map([['user.bin', Buffer.from([0, 1, 0x3d, 0x0a, 0xff])]]),
      }),
      content: 'hello',
    },
    { ...entry(`${'l'.repeat(90)}/${'n'.repeat(200)}`), content: 'long' },
    entry('link', { type: 'symlink', linkTarget: 't'.repeat(130) }),
    entry('hard', { type: 'hardlink', linkTarget: 'dir/file' }),
    entry('caf\xc3\xa9 \xff', { type: 'fifo' }),
    entry('null', { type: 'char', devMajor: 1, devMinor: 3 }),
    entry('sda', { type: 'block', devMajor: 8, devMinor: 300 }),
  ];

  it('is read by GNU tar without complaint', async () => {
    const options = {
      input: await pack(interop),
      stdio: 'pipe' as const,
      env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] },
    };
    const listing = execFileSync(
      'sh',
      ['-c', 'tar --numeric-owner --full-time --quoting-style=escape -tvf - 2>&1'],
      options,
    ).toString();
    expect(listing).toMatch(/^drwxr-xr-t 0\/0 +0 1970-01-01 00:00:05.25 dir\/\n/);
    expect(listing).toMatch(/-rws--x--x 3000000\/12 +5 2023-11-14 22:13:20 +dir\/file\n/);
    expect(listing).toContain(`${'l'.repeat(90)}/${'n'.repeat(200)}`);
    expect(listing).toContain(`link -> ${'t'.repeat(130)}`);
    expect(listing).toMatch(/hard link to dir\/file\n/);
    expect(listing).toContain('caf\\303\\251 \\377');
    expect(listing).toMatch(/crw-r--r-- 0\/0 +1,3 .* null\nbrw-r--r-- 0\/0 +8,300 .* sda\n$/);
    expect(listing).not.toMatch(/^tar:/m);
  });

  it("is read by Python's tarfile", async () => {
    const script = `
import sys, tarfile, io, json
t = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))
for m in t: print(json.dumps([m.name, m.type.decode(), m.mode, m.uid, m.gid, m.size, m.mtime, m.linkname, m.devmajor, m.devminor, sorted(m.pax_headers)]))
`;
    const lines = execFileSync('python3', ['-c', script], { input: await pack(interop) })
      .toString()
      .trim()
      .split('\n');
    const rows = lines.map((line) => JSON.parse(line) as unknown[]);
    expect(rows[0]).toEqual(['dir', '5', 0o1755, 0, 0, 0, 5.25, '', 0, 0, ['mtime']]);
    expect(rows[1]).toEqual([
      'dir/file',
      '0',
      0o4711,
      3_000_000,
      12,
      5,
      1_700_000_000,
      '',
      0,
      0,
      ['SCHILY.xattr.user.bin', 'uid'],
    ]);
    expect(rows.map(([name]) => name)).toContain(`${'l'.repeat(90)}/${'n'.repeat(200)}`);
    expect(rows.at(-1)?.slice(8, 10)).toEqual([8, 300]);
  });
});
