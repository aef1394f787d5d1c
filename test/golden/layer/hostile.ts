// Archives that no layer may be made from, one for each way to lie. Each is refused with the name of the entry that lies.

import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { LayerLimits } from '../../../src/layer/index.js';
import { block, END, member, pax, paxRecord, padded } from '../../unit/layer/support.js';

export interface HostileArchive {
  readonly archive: () => Buffer;
  /** Of the error. */
  readonly code: 'integrity' | 'limit' | 'unsupported' | 'permission';
  readonly says: RegExp;
  readonly limits?: Partial<LayerLimits>;
}

const dir = (name: string, fields = {}) => member({ name: `${name}/`, typeflag: '5', mode: 0o755, ...fields });
const file = (name: string, content = '', fields = {}) => member({ name, ...fields }, content);
const link = (name: string, linkname: string) => member({ name, typeflag: '1', linkname });
const symlink = (name: string, linkname: string) => member({ name, typeflag: '2', linkname, mode: 0o777 });
const device = (name: string, major: number, minor: number) =>
  member({ name, typeflag: '3', devmajor: major, devminor: minor });

type Code = HostileArchive['code'];
type Options = Pick<HostileArchive, 'limits'>;

/** A whole archive of these members. */
const whole = (code: Code, says: RegExp, members: Buffer[], options: Options = {}): HostileArchive => ({
  archive: () => Buffer.concat([...members, END]),
  code,
  says,
  ...options,
});

/** Bytes as they are. */
const bytes = (code: Code, says: RegExp, archive: () => Buffer, options: Options = {}): HostileArchive => ({
  archive,
  code,
  says,
  ...options,
});

/** RFC 8878: a frame of one raw block and then so many blocks of 128 KiB of zeros, four bytes each. */
function zstdBomb(start: Buffer, blocks: number): Buffer {
  const head = (type: number, size: number, last = 0) => {
    const bytes3 = Buffer.alloc(3);
    bytes3.writeUIntLE(last | (type << 1) | (size << 3), 0, 3);
    return bytes3;
  };
  const zeros = Buffer.concat([head(1, 128 * 1024), Buffer.alloc(1)]);
  return Buffer.concat([
    // A window of 128 KiB, no checksum, no size.
    Buffer.from('28b52ffd' + '00' + '38', 'hex'),
    head(0, start.length),
    start,
    ...Array.from({ length: blocks }, () => zeros),
    head(0, 0, 1),
  ]);
}

const gib = 2 ** 30;

export const hostileArchives: Readonly<Record<`should-fail-${string}`, HostileArchive>> = {
  // Names that lead out.
  'should-fail-dotdot': whole('integrity', /^tar entry '\.\.\/evil': .*'\.\.'/, [file('../evil')]),
  'should-fail-dotdot-alone': whole('integrity', /^tar entry '\.\.\/': .*'\.\.'/, [dir('..')]),
  'should-fail-dotdot-in-the-middle': whole('integrity', /entry 'a\/\.\.\/\.\.\/evil': .*'\.\.'/, [
    dir('a'),
    file('a/../../evil'),
  ]),
  'should-fail-dotdot-that-stays-inside': whole('integrity', /entry 'a\/\.\.\/b': .*'\.\.'/, [file('a/../b')]),
  'should-fail-dotdot-behind-a-slash': whole('integrity', /entry '\/\.\.\/\.\.\/etc\/evil': .*'\.\.'/, [
    file('/../../etc/evil'),
  ]),
  'should-fail-dotdot-in-a-pax-path': whole('integrity', /entry '\.\.\/evil': .*'\.\.'/, [
    pax({ path: '../evil' }),
    file('innocent'),
  ]),
  'should-fail-dotdot-in-a-long-name': whole('integrity', /entry '\.\.\/evil': .*'\.\.'/, [
    member({ name: '././@LongLink', typeflag: 'L' }, '../evil\0'),
    file('innocent'),
  ]),
  'should-fail-dotdot-in-a-prefix': whole('integrity', /entry '\.\.\/evil': .*'\.\.'/, [
    file('evil', '', { prefix: '..' }),
  ]),
  'should-fail-nul-in-a-pax-path': whole('integrity', /entry 'f': its PAX 'path' has a NUL/, [
    pax({ path: 'a\0b' }),
    file('f'),
  ]),
  'should-fail-nul-in-a-pax-link': whole('integrity', /entry 'f': its PAX 'linkpath' has a NUL/, [
    pax({ linkpath: 'a\0b' }),
    symlink('f', 'x'),
  ]),

  // Links that lead out.
  'should-fail-file-through-a-symlink': whole('integrity', /entry 's\/evil': 's' is not a directory/, [
    symlink('s', '/tmp'),
    file('s/evil', 'x'),
  ]),
  'should-fail-directory-through-a-symlink': whole('integrity', /entry 's\/evil\/': 's' is not a directory/, [
    symlink('s', '..'),
    dir('s/evil'),
  ]),
  'should-fail-file-through-a-symlink-that-stays-inside': whole('integrity', /entry 's\/f': 's' is not a directory/, [
    dir('d'),
    symlink('s', 'd'),
    file('s/f', 'x'),
  ]),
  'should-fail-file-through-two-symlinks': whole('integrity', /entry 'b\/evil': 'b' is not a directory/, [
    symlink('a', '/tmp'),
    symlink('b', 'a'),
    file('b/evil', 'x'),
  ]),
  'should-fail-whiteout-through-a-symlink': whole('integrity', /entry 's\/\.wh\.passwd': 's' is not a directory/, [
    symlink('s', '/etc'),
    file('s/.wh.passwd'),
  ]),
  'should-fail-symlink-in-the-place-of-a-parent': whole('integrity', /entry 'd\/evil': 'd' is not a directory/, [
    dir('d'),
    file('d/f', 'x'),
    symlink('d', '/tmp'),
    file('d/evil', 'x'),
  ]),
  'should-fail-file-through-a-link-to-a-symlink': whole('integrity', /entry 'h\/evil': 'h' is not a directory/, [
    symlink('s', '/tmp'),
    link('h', 's'),
    file('h/evil', 'x'),
  ]),
  'should-fail-path-through-a-file': whole('integrity', /entry 'f\/g': 'f' is not a directory/, [file('f'), file('f/g')]),
  'should-fail-path-through-a-device': whole('integrity', /entry 'n\/g': 'n' is not a directory/, [
    device('n', 1, 3),
    file('n/g'),
  ]),
  'should-fail-hard-link-out-of-the-tree': whole('integrity', /entry 'h': .*'\.\.'/, [link('h', '../../etc/passwd')]),
  'should-fail-hard-link-to-an-absolute-file': whole(
    'integrity',
    /entry 'h': it is a hard link to 'etc\/passwd', and no such file is in this layer/,
    [link('h', '/etc/passwd')],
  ),
  'should-fail-hard-link-through-a-symlink': whole('integrity', /entry 'h': 's' is not a directory/, [
    symlink('s', '/etc'),
    link('h', 's/passwd'),
  ]),
  'should-fail-hard-link-to-nothing': whole('integrity', /entry 'h': it is a hard link to 'nothing'/, [
    link('h', 'nothing'),
  ]),
  'should-fail-hard-link-to-what-comes-later': whole('integrity', /entry 'h': it is a hard link to 'f'/, [
    link('h', 'f'),
    file('f'),
  ]),
  'should-fail-hard-link-to-a-directory': whole('integrity', /entry 'h': it is a hard link to the directory 'd'/, [
    dir('d'),
    link('h', 'd'),
  ]),
  'should-fail-hard-link-to-the-root': whole('integrity', /entry 'h': it is a hard link to the directory ''/, [
    link('h', '/'),
  ]),
  'should-fail-hard-link-to-itself': whole('integrity', /entry 'f': it is a hard link to itself/, [
    file('f'),
    link('f', './f'),
  ]),
  'should-fail-hard-link-to-what-it-replaces': whole('integrity', /entry 'd': it is a hard link to 'd\/f', which is below/, [
    dir('d'),
    file('d/f', 'x'),
    link('d', 'd/f'),
  ]),
  'should-fail-hard-link-to-a-whiteout': whole('integrity', /entry 'h': it is a hard link to the whiteout '\.wh\.x'/, [
    file('.wh.x'),
    link('h', '.wh.x'),
  ]),
  'should-fail-symlink-to-nothing': whole('integrity', /entry 's': symlink: .*ENOENT/, [symlink('s', '')]),
  'should-fail-symlink-text-of-5000-bytes': whole('integrity', /entry 's': symlink: .*ENAMETOOLONG/, [
    pax({ linkpath: 'x'.repeat(5000) }),
    symlink('s', 'x'),
  ]),
  'should-fail-root-that-is-a-symlink': whole('integrity', /entry '\.\/': the root of a layer must be a directory/, [
    symlink('./', '/etc'),
  ]),
  'should-fail-root-that-is-a-file': whole('integrity', /entry '\/': the root of a layer must be a directory/, [
    file('/', 'x'),
  ]),

  // Whiteouts.
  'should-fail-whiteout-of-nothing': whole('integrity', /entry 'd\/\.wh\.': whiteout '\.wh\.' names no file/, [
    file('d/.wh.'),
  ]),
  'should-fail-whiteout-of-its-directory': whole('integrity', /entry 'd\/\.wh\.\.': .*names no file/, [file('d/.wh..')]),
  'should-fail-whiteout-of-the-parent': whole('integrity', /entry '\.wh\.\.\.': whiteout '\.wh\.\.\.' names no file/, [
    file('.wh...'),
  ]),
  'should-fail-entry-below-a-whiteout': whole('integrity', /entry '\.wh\.d\/f': '\.wh\.d' in its path is a whiteout/, [
    file('.wh.d/f'),
  ]),
  'should-fail-entry-below-an-opaque-mark': whole(
    'integrity',
    /entry 'd\/\.wh\.\.wh\.\.opq\/f': '\.wh\.\.wh\.\.opq' in its path/,
    [file('d/.wh..wh..opq/f')],
  ),
  'should-fail-device-that-is-a-whiteout-on-disk': whole('unsupported', /entry 'd\/gone': it is a character device 0\/0/, [
    device('d/gone', 0, 0),
  ]),

  // Sizes of names, attributes and headers.
  'should-fail-name-of-256-bytes': whole('integrity', /entry 'x+': a name in its path has more than 255 bytes/, [
    pax({ path: 'x'.repeat(256) }),
    file('f'),
  ]),
  'should-fail-path-of-4096-bytes': whole('limit', /entry '(a\/)+\.\.\.': its path, or link target, has more than 4095/, [
    pax({ path: 'a/'.repeat(2048) }),
    file('f'),
  ]),
  'should-fail-depth-of-600': whole('limit', /entry '(a\/)+\.\.\.': .* more than 512 components/, [
    pax({ path: 'a/'.repeat(600) }),
    file('f'),
  ]),
  'should-fail-link-target-depth-of-600': whole('limit', /entry 'h': .* more than 512 components/, [
    pax({ linkpath: 'a/'.repeat(600) }),
    link('h', 'x'),
  ]),
  'should-fail-attribute-of-an-unknown-kind': whole('unsupported', /entry 'f': setxattr 'nonsense'/, [
    pax({ 'SCHILY.xattr.nonsense': 'x' }),
    file('f'),
  ]),
  'should-fail-attribute-name-of-256-bytes': whole('integrity', /entry 'f': setxattr 'user\.x+': .*ERANGE/, [
    pax({ [`SCHILY.xattr.user.${'x'.repeat(251)}`]: 'v' }),
    file('f'),
  ]),
  'should-fail-attribute-value-of-70000-bytes': whole('integrity', /entry 'f': setxattr 'user\.x': .*E2BIG/, [
    pax({ 'SCHILY.xattr.user.x': 'x'.repeat(70_000) }),
    file('f'),
  ]),
  'should-fail-attribute-without-a-name': whole('integrity', /entry 'f': setxattr '': /, [
    pax({ 'SCHILY.xattr.': 'v' }),
    file('f'),
  ]),
  'should-fail-attribute-name-with-a-nul': whole('integrity', /entry 'PaxHeader': the key of a PAX record has a NUL/, [
    pax({ 'SCHILY.xattr.user.a\0b': 'v' }),
    file('f'),
  ]),
  'should-fail-pax-header-of-1-gib': whole('limit', /entry 'PaxHeader': a header that describes others has 1073741824/, [
    block({ name: 'PaxHeader', typeflag: 'x', size: gib }),
  ]),
  'should-fail-global-header-of-1-gib': whole('limit', /entry 'PaxHeader': a header that describes others has 1073741824/, [
    block({ name: 'PaxHeader', typeflag: 'g', size: gib }),
  ]),
  'should-fail-long-name-of-1-gib': whole('limit', /entry '\.\/\.\/@LongLink': a header .* has 1073741824/, [
    block({ name: '././@LongLink', typeflag: 'L', size: gib }),
  ]),
  'should-fail-long-link-of-1-gib': whole('limit', /entry '\.\/\.\/@LongLink': a header .* has 1073741824/, [
    block({ name: '././@LongLink', typeflag: 'K', size: gib }),
  ]),
  'should-fail-global-headers-without-end': whole(
    'limit',
    /entry 'PaxHeader': the PAX headers for what follows have more than 1048576 bytes together/,
    Array.from({ length: 20 }, (_, index) => pax({ [`comment.${String(index)}`]: 'x'.repeat(100_000) }, 'g')),
  ),
  'should-fail-headers-of-one-entry-without-end': whole(
    'limit',
    /entry 'PaxHeader': the PAX headers for what follows have more than 1048576 bytes together/,
    Array.from({ length: 20 }, (_, index) => pax({ [`SCHILY.xattr.user.${String(index)}`]: 'x'.repeat(60_000) })),
  ),

  // Bombs.
  'should-fail-bomb-of-bytes': whole('limit', /entry 'zeros': the archive has more than 65536 bytes/, [
    file('zeros', '\0'.repeat(200_000)),
  ], { limits: { maxSize: 65_536 } }),
  'should-fail-bomb-of-bytes-behind-the-end': bytes(
    'limit',
    /entry 'f': the archive has more than 65536 bytes/,
    () => Buffer.concat([file('f'), END, Buffer.alloc(200_000, 'junk')]),
    { limits: { maxSize: 65_536 } },
  ),
  'should-fail-bomb-of-gzip': bytes(
    'limit',
    /entry 'zeros': the archive has more than 1000000 bytes/,
    () => gzipSync(Buffer.concat([file('zeros', '\0'.repeat(50 << 20)), END])),
    { limits: { maxSize: 1_000_000 } },
  ),
  'should-fail-bomb-of-zstd': bytes('limit', /the data is compressed more than 2000 times/, () =>
    zstdBomb(block({ name: 'zeros', size: 300 << 20 }), 2400),
  ),
  'should-fail-bomb-of-entries': whole(
    'limit',
    /entry 'f11': the archive has more than 10 entries/,
    Array.from({ length: 12 }, (_, index) => file(`f${String(index + 1)}`)),
    { limits: { maxEntries: 10 } },
  ),
  'should-fail-bomb-of-directories-without-entries': whole(
    'limit',
    /entry '3\/(a\/)+f': there are more than 100 directories without entries/,
    ['1', '2', '3'].map((top) => file(`${top}/${'a/'.repeat(45)}f`, 'x', { magic: '' })).map((each, index) =>
      index === 2 ? Buffer.concat([each, each]) : each,
    ),
    { limits: { maxEntries: 100 } },
  ),

  // Archives that have been cut off.
  'should-fail-empty': bytes('integrity', /this is not a tar archive/, () => Buffer.alloc(0)),
  'should-fail-no-archive': bytes('integrity', /this is not a tar archive/, () => Buffer.from('PK\x03\x04'.padEnd(2048))),
  'should-fail-cut-in-a-header': bytes('integrity', /entry 'f': the archive ends inside the header/, () =>
    Buffer.concat([file('f'), block({ name: 'g' }).subarray(0, 300)]),
  ),
  'should-fail-cut-behind-a-header': bytes('integrity', /entry 'f': the archive ends 3 bytes before/, () =>
    block({ name: 'f', size: 3 }),
  ),
  'should-fail-cut-in-content': bytes('integrity', /entry 'second': the archive ends 3512 bytes before/, () =>
    Buffer.concat([file('first'), file('second', 'x'.repeat(5000))]).subarray(0, 512 + 512 + 1488),
  ),
  'should-fail-cut-in-padding': bytes('integrity', /entry 'f': the archive ends in the padding/, () =>
    file('f', 'abc').subarray(0, 600),
  ),
  'should-fail-cut-between-entries': bytes('integrity', /entry 'f': .*without its end marker/, () => file('f', 'abc')),
  'should-fail-cut-in-a-pax-header': bytes('integrity', /entry 'PaxHeader': the archive ends inside a header/, () =>
    pax({ comment: 'x'.repeat(2000) }).subarray(0, 1500),
  ),
  'should-fail-cut-in-a-long-name': bytes('integrity', /entry 'l': the archive ends inside a header/, () =>
    member({ name: 'l', typeflag: 'L' }, 'x'.repeat(900)).subarray(0, 1024),
  ),
  'should-fail-cut-behind-a-pax-header': whole('integrity', /entry 'PaxHeader': the archive ends where the entry/, [
    file('f'),
    pax({ path: 'x' }),
  ]),
  'should-fail-cut-gzip': bytes('integrity', /cannot decompress: unexpected end of file/, () => {
    const packed = gzipSync(Buffer.concat([file('f', 'x'.repeat(5000)), END]));
    return packed.subarray(0, packed.length - 20);
  }),
  'should-fail-cut-zstd': bytes('integrity', /cannot decompress/, () => {
    const packed = execFileSync('zstd', ['-c'], { input: Buffer.concat([file('f', 'x'.repeat(5000)), END]) });
    return packed.subarray(0, packed.length - 8);
  }),
  'should-fail-cut-xz': bytes('integrity', /cannot decompress/, () => {
    const packed = execFileSync('xz', ['-c'], { input: Buffer.concat([file('f', 'x'.repeat(5000)), END]) });
    return packed.subarray(0, packed.length - 20);
  }),

  // Headers that lie.
  'should-fail-size-beyond-the-end': whole('integrity', /entry 'f': the archive ends 998976 bytes before/, [
    block({ name: 'f', size: 1e6 }),
  ]),
  'should-fail-size-that-swallows-the-next-header': bytes('integrity', /entry 'f': .*checksum/, () =>
    Buffer.concat([block({ name: 'f', size: 3 }), block({ name: 'g' }), padded('x'.repeat(2000)), END]),
  ),
  'should-fail-negative-size': whole('integrity', /entry 'f': its size is -1/, [
    block({ name: 'f', size: Buffer.alloc(12, 0xff) }),
  ]),
  'should-fail-size-beyond-2-to-the-53': whole('integrity', /entry 'f': its size is malformed/, [
    block({ name: 'f', size: Buffer.from([0x80, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0]) }),
  ]),
  'should-fail-size-of-all-bits': whole('integrity', /entry 'f': its size is malformed/, [
    block({ name: 'f', size: Buffer.from([0xbf, ...Buffer.alloc(11, 0xff)]) }),
  ]),
  'should-fail-size-that-is-not-octal': whole('integrity', /entry 'f': its size is malformed/, [
    block({ name: 'f', size: '12345678999' }),
  ]),
  'should-fail-negative-pax-size': whole('integrity', /entry 'f': its size is -1/, [pax({ size: '-1' }), file('f')]),
  'should-fail-pax-size-beyond-2-to-the-53': whole('integrity', /entry 'f': its size is malformed/, [
    pax({ size: '9007199254740993' }),
    file('f'),
  ]),
  'should-fail-checksum': whole('integrity', /entry 'f': what follows it is no tar header: the checksum is wrong/, [
    file('f'),
    block({ name: 'g', checksum: '000000\0 ' }),
  ]),
  'should-fail-lone-block-of-zeros': whole('integrity', /entry 'f': a lone block of zeros/, [
    file('f'),
    Buffer.alloc(512),
    file('g'),
  ]),
  'should-fail-unknown-type': whole('unsupported', /entry 'f': it is of the unknown type "Z"/, [
    member({ name: 'f', typeflag: 'Z' }),
  ]),
  'should-fail-sparse-file': whole('unsupported', /entry 'f': it is a sparse file/, [member({ name: 'f', typeflag: 'S' })]),
  'should-fail-owner-that-means-unchanged': whole('integrity', /entry 'f': its uid is 4294967295/, [
    pax({ uid: '4294967295' }),
    file('f'),
  ]),
  'should-fail-device-number-too-large': whole('integrity', /entry 'n': its devmajor is 4096/, [device('n', 4096, 0)]),
  'should-fail-pax-record-without-length': whole('integrity', /entry 'p': a PAX record has no length/, [
    member({ name: 'p', typeflag: 'x' }, 'path=x\n'),
    file('f'),
  ]),
  'should-fail-pax-record-that-is-too-long': whole('integrity', /entry 'p': the length of a PAX record is wrong/, [
    member({ name: 'p', typeflag: 'x' }, '99 path=x\n'),
    file('f'),
  ]),
  'should-fail-pax-record-that-is-too-short': whole('integrity', /entry 'p': the length of a PAX record is wrong/, [
    member({ name: 'p', typeflag: 'x' }, '8 path=x\n'),
    file('f'),
  ]),
  'should-fail-pax-record-twice-of-which-one-leads-out': whole('integrity', /entry '\.\.\/evil': .*'\.\.'/, [
    member({ name: 'p', typeflag: 'x' }, Buffer.concat([paxRecord('path', 'good'), paxRecord('path', '../evil')])),
    file('f'),
  ]),
};
