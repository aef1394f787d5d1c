import { beforeEach, describe, expect, test, vi } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { Copier } from '../../../src/overlay/copy-content.js';
import type { Stat } from '../../../src/sys/index.js';

const sys = vi.hoisted(() => ({ calls: [] as string[], cloned: 0, now: 0, takes: 0 }));
vi.mock(import('../../../src/sys/index.js'), async (original) => {
  const call = (name: string, status: () => number) => (): number => {
    sys.calls.push(name);
    sys.now += sys.takes;
    return status();
  };
  const aside = (name: string) => (): Promise<number> => Promise.resolve(call(name, () => 0)());
  return {
    ...(await original()),
    cloneData: call('clone', () => sys.cloned),
    copySparse: call('copy', () => 0),
    copyDense: call('dense', () => 0),
    copyDataAside: aside('aside'),
    fsync: call('sync', () => 0),
    fsyncAside: aside('sync aside'),
  };
});

const stat = (dev: number, blocks: number): Pick<Stat, 'dev' | 'blocks'> => ({ dev, blocks });

beforeEach(() => {
  Object.assign(sys, { cloned: 0, now: 0, takes: 0 });
  sys.calls.length = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => sys.now);
});

describe('the data of a copy', () => {
  const job = { from: 3, to: 4, size: 1000, stat: stat(1, 8) };

  test('is shared where that can be, and there is none to share in an empty file', () => {
    const copier = new Copier();
    expect(copier.copy(job)).toBe(0);
    expect(copier.copy({ ...job, size: 0 })).toBe(0);
    expect(sys.calls).toEqual(['clone']);
  });

  test.each(['EOPNOTSUPP', 'EXDEV', 'ENOTTY'] as const)('is not tried to be shared again after %s', (name) => {
    const copier = new Copier();
    sys.cloned = -errno[name];
    expect(copier.copy(job)).toBe(0);
    expect(copier.copy(job)).toBe(0);
    expect(copier.copy({ ...job, stat: stat(2, 8) })).toBe(0);
    expect(sys.calls).toEqual(['clone', 'dense', 'dense', 'clone', 'dense']);
  });

  test('is tried to be shared again when one file could not', () => {
    const copier = new Copier();
    sys.cloned = -errno.EINVAL;
    expect(copier.copy(job)).toBe(0);
    expect(copier.copy(job)).toBe(0);
    expect(sys.calls).toEqual(['clone', 'dense', 'clone', 'dense']);
  });

  test('is copied with its holes, and by another thread if it is much', async () => {
    const copier = new Copier();
    sys.cloned = -errno.EXDEV;
    expect(copier.copy({ ...job, stat: stat(1, 1) })).toBe(0);
    expect(await copier.copy({ ...job, size: 1 << 20 })).toBe(0);
    expect(sys.calls).toEqual(['clone', 'copy', 'aside']);
  });
});

describe('syncing', () => {
  const small = 1000;

  test('is left to another thread until a disk is known to be quick, and again when it was slow', async () => {
    const copier = new Copier();
    sys.takes = 0.2;
    expect(await copier.sync(3, small)).toBe(0);
    expect(copier.sync(3, small)).toBe(0);
    sys.takes = 5;
    expect(copier.sync(3, small)).toBe(0);
    const later = copier.sync(3, small);
    expect(later).toBeInstanceOf(Promise);
    await later;
    expect(sys.calls).toEqual(['sync aside', 'sync', 'sync', 'sync aside']);
  });

  test('of much is left to another thread, and says nothing of a disk', async () => {
    const copier = new Copier();
    sys.takes = 0.2;
    await copier.sync(3, 1 << 20);
    await copier.sync(3, small);
    await copier.sync(3, 1 << 20);
    expect(sys.calls).toEqual(['sync aside', 'sync aside', 'sync aside']);
  });
});
