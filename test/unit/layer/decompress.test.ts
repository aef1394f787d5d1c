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

  it('takes no name for a format', async () => {
    const names = ['BZh', 'BZh9', 'BZh91AX'].map((start) => Buffer.from(start.padEnd(600)));
    for (const tar of names) expect((await collect(tar)).equals(tar)).toBe(true);
    expect(await collect(execFileSync('bzip2', ['-c'], { input: '' }))).toHaveLength(0);
  });

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

  describe('of gzip', () => {
    const member = gzipSync('text');
    const [zeros, garbage] = [Buffer.alloc(512), Buffer.from('garbage')];

    it.each<[string, Buffer[], string]>([
      ['ignores zeros behind the end', [member, zeros], 'text'],
      ['ignores what stands behind zeros, as gzip does', [member, zeros, garbage], 'text'],
      ['reads members that are cut anywhere', [member, member.subarray(0, 1), member.subarray(1)], 'texttext'],
    ])('%s', async (_, parts, text) => {
      for (const chunk of [1, 7, 65536]) {
        expect((await collect(Buffer.concat(parts), { chunk })).toString()).toBe(text);
      }
    });

    it.each<[string, Buffer[]]>([
      ['anything else behind the end', [member, garbage]],
      ['a member that has been cut off', [member, member.subarray(0, 12)]],
      ['a member of one byte', [member, member.subarray(0, 1)]],
      ['nothing but the magic', [member.subarray(0, 3)]],
      ['another checksum', [Buffer.concat([member.subarray(0, -8), Buffer.alloc(4), member.subarray(-4)])]],
    ])('fails on %s', async (_, parts) => {
      for (const chunk of [1, 7, 65536]) {
        await expect(collect(Buffer.concat(parts), { chunk })).rejects.toMatchObject({ code: 'integrity' });
      }
    });
  });

  describe('of zstd', () => {
    const zstd = (...args: string[]) =>
      execFileSync('zstd', ['-c', '-q', ...args], { input: plain, maxBuffer: 1e8, stdio: 'pipe' });

    it('takes windows of 128 MiB, and no larger ones', { timeout: 30_000 }, async () => {
      expect((await collect(zstd('--long=27'))).equals(plain)).toBe(true);
      await expect(collect(zstd('--long=28'))).rejects.toMatchObject({
        code: 'limit',
        message: expect.stringMatching(/too much memory/) as unknown,
      });
    });

    it.each<[string, Buffer[]]>([
      ['anything behind the last frame', [zstd(), Buffer.from('garbage')]],
      ['a frame that has been cut off', [zstd(), zstd().subarray(0, 1000)]],
      ['another checksum', [zstd().subarray(0, -4), Buffer.alloc(4)]],
    ])('fails on %s', async (_, parts) => {
      await expect(collect(Buffer.concat(parts))).rejects.toMatchObject({ code: 'integrity' });
    });
  });

  it('takes no more memory for xz than its highest level needs', async () => {
    const xz = (...args: string[]) =>
      execFileSync('xz', ['-c', ...args], { input: plain, maxBuffer: 1e8, stdio: 'pipe' });
    expect((await collect(xz('-9e'))).equals(plain)).toBe(true);
    const large = xz('--lzma2=preset=0,dict=1GiB');
    await expect(collect(large)).rejects.toMatchObject({
      code: 'limit',
      message: expect.stringMatching(/too much memory/) as unknown,
    });
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
