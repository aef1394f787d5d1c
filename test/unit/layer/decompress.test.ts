import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress, detectCompression } from '../../../src/layer/index.js';
import type { LayerLimits } from '../../../src/layer/index.js';
import { source } from './support.js';

const plain = Buffer.concat([Buffer.alloc(300_000, 'text '), randomBytes(300_000)]);
const through = (program: string) => execFileSync(program, ['-c'], { input: plain, maxBuffer: 1e8, stdio: 'pipe' });

async function collect(
  bytes: Buffer,
  options: { limits?: Partial<LayerLimits>; chunk?: number } = {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(source(bytes, options.chunk ?? 65536), options.limits))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const archives: Record<string, () => Buffer> = {
  none: () => plain,
  gzip: () => gzipSync(plain),
  zstd: () => through('zstd'),
  xz: () => through('xz'),
  bzip2: () => through('bzip2'),
};

describe('decompress', () => {
  for (const [name, make] of Object.entries(archives)) {
    it(`reads ${name}`, async () => {
      const archive = make();
      expect(detectCompression(archive)).toBe(name);
      expect((await collect(archive)).equals(plain)).toBe(true);
    });
    if (name === 'none') continue;
    it(`fails on truncated ${name}`, async () => {
      const archive = make();
      await expect(collect(archive.subarray(0, archive.length - 20))).rejects.toMatchObject({ code: 'integrity' });
    });
    it(`fails on damaged ${name}`, async () => {
      const archive = Buffer.from(make());
      archive.fill(0xaa, archive.length >> 1, (archive.length >> 1) + 500);
      await expect(collect(archive)).rejects.toMatchObject({ code: 'integrity' });
    });
  }

  it('sees the format through chunks of one byte', async () => {
    expect((await collect(gzipSync('hello'), { chunk: 1 })).toString()).toBe('hello');
    expect((await collect(Buffer.from('hi'), { chunk: 1 })).toString()).toBe('hi');
    expect((await collect(Buffer.alloc(0))).length).toBe(0);
  });

  it('reads gzip and zstd of several members, and a zstd stream that starts with a skippable frame', async () => {
    expect((await collect(Buffer.concat([gzipSync('a'), gzipSync('b')]))).toString()).toBe('ab');
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
    const frame = execFileSync('zstd', ['-c'], { input: 'ab', stdio: 'pipe' });
    expect((await collect(Buffer.concat([skippable, frame, frame]))).toString()).toBe('abab');
  });

  it('stops at a bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024));
    await expect(collect(bomb, { limits: { maxRatio: 500 } })).rejects.toMatchObject({ code: 'limit' });
  });

  it('passes on the error of its source', async () => {
    const failing = async function* () {
      yield await Promise.resolve(gzipSync(randomBytes(1e6)).subarray(0, 1e5));
      throw new RangeError('the disk is gone');
    };
    await expect(
      (async () => {
        for await (const _ of decompress(failing()));
      })(),
    ).rejects.toThrow('the disk is gone');
  });

  it('passes on the error of its source through a program, too', async () => {
    const failing = async function* () {
      yield await Promise.resolve(through('xz').subarray(0, 1e5));
      throw new RangeError('the disk is gone');
    };
    await expect(
      (async () => {
        for await (const _ of decompress(failing()));
      })(),
    ).rejects.toThrow('the disk is gone');
  });

  it('lets its source go when the reader stops early', async () => {
    let closed = false;
    const endless = (async function* () {
      try {
        yield await Promise.resolve(gzipSync(randomBytes(1e6)));
        for (;;) yield await Promise.resolve(gzipSync(randomBytes(1e6)));
      } finally {
        closed = true;
      }
    })();
    for await (const _ of decompress(endless)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(true);
  });

  it('says which program is missing', async () => {
    const { PATH } = process.env;
    const archive = through('xz');
    process.env['PATH'] = '/nonexistent';
    try {
      await expect(collect(archive)).rejects.toMatchObject({
        code: 'unavailable',
        message: "cannot run 'xz': it is not installed",
        hint: 'install xz-utils',
      });
    } finally {
      process.env['PATH'] = PATH;
    }
  });
});
