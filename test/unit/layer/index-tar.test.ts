import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { indexTar } from '../../../src/layer/index.js';
import { temporaryDirectory } from '../store/fixture.js';
import { END, member, pax } from './support.js';

function file(bytes: Buffer, size = bytes.length): { fd: number; size: number } {
  const path = join(temporaryDirectory(), 'a.tar');
  writeFileSync(path, bytes);
  truncateSync(path, size);
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  return { fd, size };
}

describe('indexTar', () => {
  it('finds each member without reading content', async () => {
    const long = 'd/'.repeat(60) + 'f';
    const bytes = Buffer.concat([
      member({ name: 'a' }, 'x'.repeat(100_000)),
      member({ name: 'empty' }),
      pax({ path: long }),
      member({ name: 'b' }, 'content of b'),
      member({ name: 'l', typeflag: '2', linkname: 'a' }),
      END,
    ]);
    const { fd, size } = file(bytes);
    const found = await indexTar(fd, { size });
    expect(found.map(({ entry }) => entry.path)).toEqual(['a', 'empty', long, 'l']);
    expect(
      found.map(({ entry, offset }) => bytes.toString('latin1', offset, offset + Math.min(entry.size, 20))),
    ).toEqual(['x'.repeat(20), '', 'content of b', '']);
  });

  it('does not look at what follows the end', async () => {
    const { fd, size } = file(Buffer.concat([member({ name: 'a' }, 'x'), END, Buffer.alloc(4096, 'y')]), 2 ** 33);
    expect(await indexTar(fd, { size })).toHaveLength(1);
  });

  it.each([
    ['content cut off', 1000, /ends .* bytes before the end/],
    ['no end marker', 1024, /without its end marker/],
    ['no tar', 100, /not a tar archive/],
  ])('refuses %s', async (_what, size, message) => {
    const { fd } = file(Buffer.concat([member({ name: 'a' }, 'x'.repeat(500)), END]), size);
    await expect(indexTar(fd, { size })).rejects.toThrow(message);
  });

  it('refuses a size beyond the file, however large', async () => {
    const { fd, size } = file(Buffer.concat([member({ name: 'a', size: '77777777777' }), END]));
    await expect(indexTar(fd, { size })).rejects.toThrow(/'a': the archive ends \d+ bytes/);
  });

  it('refuses more entries than the limit', async () => {
    const { fd, size } = file(Buffer.concat([member({ name: 'a' }), member({ name: 'b' }), END]));
    await expect(indexTar(fd, { size, limits: { maxEntries: 1 } })).rejects.toMatchObject({ code: 'limit' });
  });
});
