import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { renameSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { applyLayer, assembleTar } from '../../../src/layer/index.js';
import type { AssembleTarOptions, ByteSource } from '../../../src/layer/index.js';
import { assembled } from './assembled.js';
import { block, END, member, pax, source } from './support.js';
import { temporary } from './tree.js';

const dir = (name: string) => member({ name: `${name}/`, typeflag: '5', mode: 0o755 });
const file = (name: string, content = '') => member({ name }, content);
const link = (name: string, linkname: string) => member({ name, typeflag: '1', linkname });

/** Unpacks and records; what to assemble again. */
async function recorded(tar: ByteSource): Promise<AssembleTarOptions & { layer: string }> {
  const base = temporary();
  const layer = path.join(base, 'diff');
  mkdirSync(layer);
  const record = { skeleton: path.join(base, 'skeleton'), replaced: path.join(base, 'replaced') };
  const { diffId } = await applyLayer({ source: tar, target: layer, record });
  return { ...record, directories: [layer], diffId, layer };
}

async function roundTrip(...members: Buffer[]) {
  const tar = Buffer.concat(members);
  const options = await recorded(source(tar));
  expect((await assembled(options)).equals(tar)).toBe(true);
  return options;
}

/** Reads to the end, and keeps nothing; the bytes read. */
async function read(options: AssembleTarOptions): Promise<number> {
  let length = 0;
  for await (const chunk of assembleTar(options)) length += chunk.length;
  return length;
}

describe('assembleTar', () => {
  it.each<[string, Buffer[]]>([
    ['an empty archive', [END]],
    ['files of no content', [file('a'), file('b'), END]],
    ['padding that is not zeros', [block({ name: 'f', size: 3 }), Buffer.from('abc'), Buffer.alloc(509, 'x'), END]],
    ['chains of hard links', [file('a', '1'), link('b', 'a'), link('c', 'b'), link('d', 'c'), END]],
    ['names that are not UTF-8', [dir('\xff'), file('\xff/\xfe\n"', 'x'), END]],
    ['long names of both kinds', [pax({ path: 'p'.repeat(200) }), file('x', '1'), END]],
    ['content of whiteouts and of metadata', [file('.wh.f', 'gone'), file('.wh..wh.plnk/1', 'aufs'), END]],
    ['content behind the end', [file('f', 'x'), END, Buffer.alloc(3 << 20, 'junk')]],
    ['names that are spelt otherwise', [file('./a//b', '1'), file('/c', '2'), END]],
    ['symlinks and devices', [member({ name: 'l', typeflag: '2', linkname: '/etc/passwd' }), END]],
  ])('gives the same bytes for %s', async (_, members) => {
    const { replaced } = await roundTrip(...members);
    expect(() => readdirSync(replaced)).toThrow('ENOENT');
  });

  it.each<[string, string[], Buffer[]]>([
    ['a file that is there twice', ['0'], [file('f', 'one'), file('f', 'two'), END]],
    ['a file three times', ['0', '1'], [file('f', 'one'), file('f', 'two'), file('f', 'three'), END]],
    ['a file in the place of a tree', ['0', '1'], [file('d/a', '1'), file('d/e/b', '22'), file('d', '3'), END]],
    ['a directory in the place of a file', ['0'], [file('f', '1'), dir('f'), file('f/f', '2'), END]],
    [
      'a symlink in the place of a file',
      ['0'],
      [file('f', '1'), member({ name: 'f', typeflag: '2', linkname: 'x' }), END],
    ],
    ['a link in the place of a file', ['0'], [file('f', '1'), file('g', '2'), link('f', 'g'), END]],
    ['a file in the place of a link', ['0'], [file('g', '2'), link('f', 'g'), file('f', '1'), END]],
    ['a replaced file with another name', ['0'], [file('f', '1'), link('g', 'f'), file('f', '2'), END]],
    [
      'names that come and go',
      ['0', '1', '2'],
      [file('f', '1'), file('g', '22'), link('f', 'g'), file('f', '333'), file('g', '4'), END],
    ],
  ])('keeps what was replaced: %s', async (_, names, members) => {
    const { replaced } = await roundTrip(...members);
    expect(readdirSync(replaced).sort()).toEqual(names);
  });

  it('sets aside only what has content', async () => {
    const { replaced } = await roundTrip(file('f'), dir('f'), file('f'), END);
    expect(() => readdirSync(replaced)).toThrow('ENOENT');
  });

  it('keeps no second copy of content', async () => {
    const noise = randomBytes(1 << 20);
    const { skeleton } = await recorded(source([member({ name: 'f' }, noise), END]));
    expect(statSync(skeleton).size).toBeLessThan(1000);
  });

  it('gives sizes above 8 GiB and holes', { timeout: 60_000 }, async () => {
    // The file is made as it would have been unpacked: 9 GB of zeros are not read by a test.
    const size = 2 ** 33 + 5;
    const head = Buffer.concat([pax({ size: String(size) }), block({ name: 'big', size: 0 })]);
    const small = await recorded(source([file('big', '12345'), END]));
    truncateSync(path.join(small.layer, 'big'), size);
    const skeleton = gunzipSync(readFileSync(small.skeleton));
    // first line, `bytes` frame of the header, `own` frame with its size
    const at = 'veneer-skeleton 1\n'.length;
    const bytes = Buffer.alloc(5, 1);
    bytes.writeUInt32LE(head.length, 1);
    const own = Buffer.from(skeleton.subarray(at + 5 + 512));
    own.writeUIntLE(size, 1, 6);
    writeFileSync(small.skeleton, gzipSync(Buffer.concat([skeleton.subarray(0, at), bytes, head, own])));
    let length = 0;
    for await (const chunk of assembleTar(small)) {
      if (length === 0) expect(chunk.subarray(0, head.length).equals(head)).toBe(true);
      length += chunk.length;
      if (length > 64 << 20) break;
    }
    expect(length).toBeGreaterThan(64 << 20);
  });

  it('streams', async () => {
    const tar = Buffer.concat([file('big', 'x'.repeat(5 << 20)), END]);
    const sizes: number[] = [];
    for await (const chunk of assembleTar(await recorded(source(tar)))) sizes.push(chunk.length);
    expect(sizes.slice(0, -1)).toEqual(Array.from({ length: 5 }, () => 1 << 20));
  });

  describe('refuses', () => {
    const tar = Buffer.concat([dir('d'), file('d/f', 'content'), file('g', 'x'.repeat(3 << 20)), END]);

    it.each<[string, (layer: string) => void, string]>([
      ['a file that is gone', (layer) => rmSync(path.join(layer, 'd/f')), "'d/f' of a layer is gone"],
      [
        'a directory that is gone',
        (layer) => rmSync(path.join(layer, 'd'), { recursive: true }),
        "'d/f' of a layer is gone",
      ],
      [
        'a shorter file',
        (layer) => truncateSync(path.join(layer, 'd/f'), 3),
        "'d/f' of a layer is shorter than it was",
      ],
      ['a longer file', (layer) => writeFileSync(path.join(layer, 'd/f'), 'content!'), "'d/f' of a layer has grown"],
      ['other content', (layer) => writeFileSync(path.join(layer, 'd/f'), 'CONTENT'), 'is not what it was'],
      [
        'a directory in its place',
        (layer) => {
          rmSync(path.join(layer, 'd/f'));
          mkdirSync(path.join(layer, 'd/f'));
        },
        "'d/f' of a layer is a directory now",
      ],
      [
        'a symlink to the same content',
        (layer) => {
          renameSync(path.join(layer, 'd/f'), path.join(layer, 'elsewhere'));
          symlinkSync('../elsewhere', path.join(layer, 'd/f'));
        },
        "'d/f' of a layer is gone",
      ],
      [
        'a symlink in the place of a directory',
        (layer) => {
          renameSync(path.join(layer, 'd'), path.join(layer, 'e'));
          symlinkSync('e', path.join(layer, 'd'));
        },
        "'d/f' of a layer is gone",
      ],
    ])('%s', async (_, damage, message) => {
      const options = await recorded(source(tar));
      damage(options.layer);
      await expect(read(options)).rejects.toMatchObject({ code: 'integrity' });
      await expect(read(options)).rejects.toThrow(message);
    });

    it('content that differs before the last chunk is given', async () => {
      const options = await recorded(source(tar));
      writeFileSync(path.join(options.layer, 'd/f'), 'CONTENT');
      let length = 0;
      const reading = async () => {
        for await (const chunk of assembleTar(options)) length += chunk.length;
      };
      await expect(reading()).rejects.toMatchObject({ code: 'integrity' });
      expect(length).toBeLessThan(tar.length);
    });

    it.each<[string, (skeleton: Buffer) => Buffer, string]>([
      ['of another version', () => gzipSync('veneer-skeleton 2\n'), 'unsupported'],
      ['that is no gzip stream', () => Buffer.from('veneer-skeleton 1\n'), 'integrity'],
      ['that is cut off', (bytes) => bytes.subarray(0, bytes.length / 2), 'integrity'],
      ['that ends too early', (bytes) => gzipSync(gunzipSync(bytes).subarray(0, -7)), 'integrity'],
      ['with a frame of no kind', () => gzipSync('veneer-skeleton 1\n\x09'), 'integrity'],
      ['with a size that lies', () => gzipSync('veneer-skeleton 1\n\x01\xff\xff\xff\xff'), 'integrity'],
    ])('a skeleton %s', async (_, change, code) => {
      const options = await recorded(source(tar));
      writeFileSync(options.skeleton, change(readFileSync(options.skeleton)));
      await expect(read(options)).rejects.toMatchObject({ code });
    });

    it('to go on when it is aborted', async () => {
      const options = await recorded(source(tar));
      const controller = new AbortController();
      const chunks = assembleTar({ ...options, signal: controller.signal });
      await chunks.next();
      controller.abort(new Error('enough'));
      await expect(chunks.next()).rejects.toThrow('enough');
    });
  });

  it('leaves no file open', async () => {
    const options = await recorded(source([file('f', 'x'.repeat(3 << 20)), END]));
    const before = readdirSync('/proc/self/fd').length;
    for await (const _ of assembleTar(options)) break;
    rmSync(path.join(options.layer, 'f'));
    await expect(read(options)).rejects.toThrow('is gone');
    await expect.poll(() => readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
  });
});

describe('a record', () => {
  it('is not written over another file', async () => {
    const base = temporary();
    const skeleton = path.join(base, 'skeleton');
    const fd = openSync(skeleton, 'w');
    ftruncateSync(fd, 1);
    closeSync(fd);
    mkdirSync(path.join(base, 'diff'));
    const applying = applyLayer({
      source: source([END]),
      target: path.join(base, 'diff'),
      record: { skeleton, replaced: path.join(base, 'replaced') },
    });
    await expect(applying).rejects.toThrow('EEXIST');
  });
});
