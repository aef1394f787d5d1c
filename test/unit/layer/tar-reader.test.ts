import { describe, expect, it } from 'vitest';
import { block, END, member, padded, pax, unpack } from './support.js';

const first = async (...parts: Buffer[]) => (await unpack([...parts, END]))[0]!;
const base256 = (bytes: number[]) => Buffer.from(bytes);

describe('what readTar understands', () => {
  it('reads every type', async () => {
    const entries = await unpack([
      member({ name: 'd/', typeflag: '5', mode: 0o1777 }),
      member({ name: 'f', mode: 0o4755, uid: 1, gid: 2, mtime: 3 }, 'hello'),
      member({ name: 'h', typeflag: '1', linkname: 'f' }),
      member({ name: 's', typeflag: '2', linkname: '../x' }),
      member({ name: 'c', typeflag: '3', devmajor: 5, devminor: 1 }),
      member({ name: 'b', typeflag: '4', devmajor: 8, devminor: 16 }),
      member({ name: 'p', typeflag: '6' }),
      member({ name: 'seven', typeflag: '7' }, 'x'),
      END,
    ]);
    expect(entries.map(({ type }) => type)).toEqual([
      'directory',
      'file',
      'hardlink',
      'symlink',
      'char',
      'block',
      'fifo',
      'file',
    ]);
    expect(entries[0]).toMatchObject({ path: 'd/', mode: 0o1777 });
    expect(entries[1]).toMatchObject({
      mode: 0o4755,
      uid: 1,
      gid: 2,
      mtime: { sec: 3, nsec: 0 },
      content: 'hello',
      size: 5,
    });
    expect(entries[2]).toMatchObject({ linkTarget: 'f' });
    expect(entries[4]).toMatchObject({ devMajor: 5, devMinor: 1 });
    expect(entries[7]).toMatchObject({ content: 'x' });
  });

  it('reads the same from chunks of any size', async () => {
    const archive = [
      pax({ path: 'long', mtime: '1.5' }),
      member({}, 'a'.repeat(1000)),
      member({ name: 'g' }, 'b'),
      END,
    ];
    const whole = await unpack(archive);
    for (const chunk of [1, 7, 511, 512, 513, 1024]) expect(await unpack(archive, { chunk })).toEqual(whole);
  });

  it('passes over content that nobody asks for', async () => {
    const archive = Buffer.concat([member({ name: 'a' }, 'x'.repeat(5000)), member({ name: 'b' }, 'y'), END]);
    const { readTar } = await import('../../../src/layer/index.js');
    const { source } = await import('./support.js');
    const names: string[] = [];
    for await (const { entry } of readTar(source(archive, 600))) names.push(entry.path);
    expect(names).toEqual(['a', 'b']);
  });

  it('joins the ustar prefix, but not what GNU and star keep in its place', async () => {
    expect(await first(member({ name: 'n', prefix: 'p/q' }))).toMatchObject({ path: 'p/q/n' });
    expect(await first(member({ name: 'n', prefix: '14000000000', magic: 'ustar  \0' }))).toMatchObject({ path: 'n' });
    const star = { name: 'n', prefix: `p\0${'x'.repeat(129)}14000000000 `, trailer: 'tar\0' };
    expect(await first(member(star))).toMatchObject({ path: 'p/n' });
    expect(await first(member({ name: 'n', prefix: 'p', magic: '' }))).toMatchObject({ path: 'n' });
  });

  it('takes a v7 name with a slash for a directory', async () => {
    expect(await first(member({ name: 'd/', typeflag: '\0', magic: '' }))).toMatchObject({ type: 'directory' });
    expect(await first(member({ name: 'd/', typeflag: '0' }))).toMatchObject({ type: 'file' });
  });

  it('keeps names as bytes', async () => {
    const name = Buffer.from([0xff, 0x0a, 0x2f, 0xc3]);
    expect(await first(member({ name }))).toMatchObject({ path: '\xff\n/\xc3' });
    expect(await first(pax({ path: name }), member({}))).toMatchObject({ path: '\xff\n/\xc3' });
  });

  it('reads GNU long names and long links', async () => {
    const [name, link] = ['n'.repeat(300), 'l'.repeat(200)];
    const long = await first(
      member({ name: '././@LongLink', typeflag: 'K' }, `${link}\0`),
      member({ name: '././@LongLink', typeflag: 'L' }, `${name}\0`),
      member({ name: 'n', typeflag: '2', linkname: 'l' }),
    );
    expect(long).toMatchObject({ path: name, linkTarget: link });
  });

  it('reads base-256 numbers', async () => {
    const big = [0x80, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0];
    const entries = await unpack([
      member({
        uid: base256([0x80, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]),
        mtime: base256(Array<number>(11).fill(0xff).concat(0xfe)),
      }),
      member({ mtime: base256(big) }),
      END,
    ]);
    expect(entries[0]).toMatchObject({ uid: 0x12345678, mtime: { sec: -2, nsec: 0 } });
    expect(entries[1]).toMatchObject({ mtime: { sec: 0x10_0000_0000 } });
  });

  it('reads octal numbers as old writers left them', async () => {
    expect(await first(member({ uid: '  17 \0', gid: '', mtime: '12 ' }))).toMatchObject({
      uid: 15,
      gid: 0,
      mtime: { sec: 10 },
    });
  });

  it('accepts a signed checksum', async () => {
    const name = Buffer.from([0xff]);
    const good = block({ name });
    const sum = Number.parseInt(good.toString('latin1', 148, 154), 8) - 256;
    expect(await first(block({ name, checksum: `${sum.toString(8).padStart(6, '0')}\0 ` }))).toMatchObject({
      path: '\xff',
    });
  });

  it('lets PAX records win, and cuts times instead of rounding them', async () => {
    const records = { path: 'p', uid: '4294967294', gid: '3000000', mtime: '1.9999999999', atime: '-0.5', size: '3' };
    expect(await first(pax(records), block({ size: 99, uid: 7 }), padded('abc'))).toMatchObject({
      path: 'p',
      uid: 4294967294,
      gid: 3000000,
      size: 3,
      content: 'abc',
      mtime: { sec: 1, nsec: 999_999_999 },
      atime: { sec: -1, nsec: 500_000_000 },
    });
    expect(await first(pax({ mtime: '-3' }), member({}))).toMatchObject({ mtime: { sec: -3, nsec: 0 } });
    expect(await first(pax({ mtime: '-1.25' }), member({}))).toMatchObject({ mtime: { sec: -2, nsec: 750_000_000 } });
  });

  it('takes binary attributes, empty and escaped ones', async () => {
    const value = Buffer.from([0, 0x0a, 0xff, 0x3d, 0]);
    const { xattrs } = await first(
      pax({
        'SCHILY.xattr.security.capability': value,
        'SCHILY.xattr.user.empty': '',
        'SCHILY.xattr.user.a%3Db%25': 'x',
      }),
      member({}),
    );
    expect(new Map(xattrs)).toEqual(
      new Map([
        ['security.capability', value],
        ['user.empty', Buffer.alloc(0)],
        ['user.a=b%', Buffer.from('x')],
      ]),
    );
  });

  it('applies global headers to all that follows, until they are taken back', async () => {
    const entries = await unpack([
      pax({ uid: '9', comment: 'x' }, 'g'),
      member({ name: 'a' }),
      pax({ uid: '8' }),
      member({ name: 'b' }),
      member({ name: 'c' }),
      pax({ uid: '' }, 'g'),
      member({ name: 'd', uid: 5 }),
      END,
    ]);
    expect(entries.map(({ uid }) => uid)).toEqual([9, 8, 9, 5]);
  });

  it('shows every byte to onChunk, those after the end of the archive, too', async () => {
    let seen = 0;
    const archive = Buffer.concat([member({}, 'x'), END, Buffer.alloc(5000, 1)]);
    await unpack(archive, { chunk: 700, onChunk: (chunk) => void (seen += chunk.length) });
    expect(seen).toBe(archive.length);
  });

  it('takes one block of zeros for the end, if nothing follows', async () => {
    expect(await unpack([member({}), Buffer.alloc(512)])).toHaveLength(1);
    expect(await unpack([Buffer.alloc(10240)])).toEqual([]);
  });

  it('gives no content to what is no file', async () => {
    const link = await unpack([block({ typeflag: '1', size: 5, linkname: 'x' }), member({ name: 'g' }), END]);
    expect(link.map(({ path, size }) => [path, size])).toEqual([
      ['f', 0],
      ['g', 0],
    ]);
  });
});

describe('what readTar refuses', () => {
  const long = 'x'.repeat(2000);
  const should: Record<string, [Buffer[], string, RegExp]> = {
    'an empty source': [[], 'integrity', /not a tar archive/],
    'what is no archive': [[Buffer.from('PK\x03\x04'.padEnd(2048))], 'integrity', /not a tar archive/],
    'an archive without its end': [[member({}, 'x')], 'integrity', /entry 'f': .*without its end marker/],
    'truncated content': [[member({}, long).subarray(0, 1000)], 'integrity', /entry 'f': .*1512 bytes before/],
    'truncated padding': [[member({}, 'abc').subarray(0, 600)], 'integrity', /entry 'f': .*padding/],
    'a truncated header': [
      [member({}), block({ name: 'g' }).subarray(0, 300)],
      'integrity',
      /entry 'f': .*inside the header/,
    ],
    'a bad checksum': [[member({}), block({ checksum: '000000\0 ' }), END], 'integrity', /entry 'f': .*checksum/],
    'a lone block of zeros': [
      [member({}), Buffer.alloc(512), member({ name: 'g' }), END],
      'integrity',
      /entry 'f': a lone block/,
    ],
    'a size that lies beyond the end': [[block({ size: 1e6 }), END], 'integrity', /entry 'f': .*998976 bytes before/],
    'a size that swallows the next header': [
      [block({ size: 3 }), block({ name: 'g' }), padded(long)],
      'integrity',
      /checksum/,
    ],
    'a negative size': [[block({ size: Buffer.alloc(12, 0xff) }), END], 'integrity', /entry 'f': its size is -1/],
    'a size beyond 2^53': [
      [block({ size: Buffer.from([0x80, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0]) }), END],
      'integrity',
      /size is malformed/,
    ],
    'a size that is not octal': [
      [block({ size: '12345678999' }), END],
      'integrity',
      /entry 'f': its size is malformed/,
    ],
    'a size with a minus': [[block({ size: '-0000000001' }), END], 'integrity', /its size is malformed/],
    'a negative PAX size': [[pax({ size: '-1' }), member({}), END], 'integrity', /its size is -1/],
    'a PAX size in hex': [[pax({ size: '0x10' }), member({}), END], 'integrity', /its size is malformed/],
    'a uid that means "unchanged"': [
      [pax({ uid: '4294967295' }), member({}), END],
      'integrity',
      /its uid is 4294967295/,
    ],
    'a negative uid': [[member({ uid: Buffer.alloc(8, 0xff) }), END], 'integrity', /its uid is -1/],
    'a malformed mode': [[member({ mode: 'rwxr-x' }), END], 'integrity', /its mode is malformed/],
    'a malformed mtime': [[pax({ mtime: '1e9' }), member({}), END], 'integrity', /its mtime is malformed/],
    'a device number that does not fit': [
      [member({ typeflag: '3', devmajor: 4096 }), END],
      'integrity',
      /devmajor is 4096/,
    ],
    'a PAX path with a NUL': [[pax({ path: 'a\0b' }), member({}), END], 'integrity', /its PAX 'path' has a NUL/],
    'a PAX link with a NUL': [
      [pax({ linkpath: 'a\0b' }), member({ typeflag: '2' }), END],
      'integrity',
      /'linkpath' has a NUL/,
    ],
    'a PAX record without length': [[member({ typeflag: 'x' }, 'path=x\n'), END], 'integrity', /no length/],
    'a PAX record of length 0': [[member({ typeflag: 'x' }, '0 path=x\n'), END], 'integrity', /no length/],
    'a PAX record that is too long': [
      [member({ typeflag: 'x' }, '99 path=x\n'), END],
      'integrity',
      /length of a PAX record/,
    ],
    'a PAX record without newline': [
      [member({ typeflag: 'x' }, '9 path=xx'), END],
      'integrity',
      /length of a PAX record/,
    ],
    'a PAX record without value': [[member({ typeflag: 'x' }, '7 path\n'), END], 'integrity', /not KEY=VALUE/],
    'a PAX record without key': [[member({ typeflag: 'x' }, '5 =x\n'), END], 'integrity', /not KEY=VALUE/],
    'a PAX header at the end': [[member({}), pax({ path: 'x' }), END], 'integrity', /ends where the entry/],
    'a truncated PAX header': [[block({ typeflag: 'x', size: 5000 }), END], 'integrity', /inside a header/],
    'a huge PAX header': [
      [block({ typeflag: 'x', size: 2 ** 30 }), END],
      'limit',
      /entry 'f': a header that describes others has 1073741824/,
    ],
    'a huge long name': [
      [block({ typeflag: 'L', size: 2 ** 30 }), END],
      'limit',
      /entry 'f': a header that describes others/,
    ],
    'a GNU sparse file': [[member({ typeflag: 'S' }), END], 'unsupported', /entry 'f': it is a sparse file/],
    'a PAX sparse file': [[pax({ 'GNU.sparse.major': '1' }), member({}), END], 'unsupported', /it is a sparse file/],
    'an unknown type': [[member({ typeflag: 'Z' }), END], 'unsupported', /unknown type "Z"/],
  };
  for (const [what, [archive, code, why]] of Object.entries(should)) {
    it(`should fail on ${what}`, async () => {
      const failure = expect.objectContaining({ code, message: expect.stringMatching(why) as unknown }) as unknown;
      await expect(unpack(archive)).rejects.toEqual(failure);
      await expect(unpack(archive, { chunk: 100 })).rejects.toEqual(failure);
    });
  }

  it('should not apply a PAX size to the headers between it and its entry (smuggling)', async () => {
    // A reader that gives the PAX size to the long-name header sees 'hidden' as an entry.
    const name = `${'n'.repeat(150)}\0`;
    const archive = [
      pax({ size: '0' }),
      member({ name: 'l', typeflag: 'L' }, name),
      block({ name: 'short', size: 1024 }),
      member({ name: 'after' }),
      END,
    ];
    expect((await unpack(archive)).map(({ path }) => path)).toEqual(['n'.repeat(150), 'after']);
  });

  it('should fail on more entries, or more bytes, than the limits allow', async () => {
    const archive = [member({}), member({}), END];
    await expect(unpack(archive, { limits: { maxEntries: 1 } })).rejects.toThrow(/more than 1 entries/);
    await expect(unpack(archive, { limits: { maxSize: 2047 } })).rejects.toThrow(/more than 2047 bytes/);
    expect(await unpack(archive, { limits: { maxEntries: 2, maxSize: 2048 } })).toHaveLength(2);
  });

  it('should be an error, never a crash, for every prefix and every flipped byte', async () => {
    const archive = Buffer.concat([pax({ path: 'p', 'SCHILY.xattr.user.a': 'b' }), member({}, 'abc'), END]);
    for (let length = 0; length < archive.length - 512; length += 13) {
      await expect(unpack(archive.subarray(0, length))).rejects.toMatchObject({ name: 'VeneerError' });
    }
    for (let at = 0; at < 2048; at += 3) {
      const damaged = Buffer.from(archive);
      damaged[at] = (damaged[at] ?? 0) ^ 0xa5;
      await unpack(damaged).catch((error: unknown) => expect(error).toMatchObject({ name: 'VeneerError' }));
    }
  });
});
