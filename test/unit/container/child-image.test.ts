import { expect, test } from 'vitest';
import { childImage, historyEntry, squashedImage } from '../../../src/container/child-image.js';
import { parseChainId, parseImageConfig } from '../../../src/image/index.js';
import type { ImageConfig } from '../../../src/image/index.js';
import { diffIdOf } from '../store/fixture.js';

const [one, two, three] = ['one', 'two', 'three'].map(diffIdOf);
if (one === undefined || two === undefined || three === undefined) throw new Error('three digests expected');

const base: ImageConfig = {
  created: '2020-01-01T00:00:00Z',
  author: 'the parent',
  architecture: 'arm64',
  variant: 'v8',
  os: 'linux',
  config: { Cmd: ['sh', '-c', 'x'] },
  rootfs: { type: 'layers', diff_ids: [one] },
  history: [{ comment: 'base' }, { comment: 'env', empty_layer: true }],
};
const entry = historyEntry(base, { created: new Date(0), message: 'm', author: 'me' });
const committed = [{ chainId: parseChainId(two), history: { comment: 'earlier' } }];

test('an entry says who, when, why and by what command', () => {
  expect(entry).toEqual({ created: '1970-01-01T00:00:00.000Z', created_by: 'sh -c x', author: 'me', comment: 'm' });
  expect(historyEntry({ ...base, config: {} }, { created: new Date(0) })).toEqual({
    created: '1970-01-01T00:00:00.000Z',
  });
});

test('the first commit', () => {
  expect(childImage(base, { diffIds: [two], committed: [], entry, isEmpty: false })).toEqual({
    ...base,
    created: entry.created,
    author: 'me',
    rootfs: { type: 'layers', diff_ids: [one, two] },
    history: [{ comment: 'base' }, { comment: 'env', empty_layer: true }, entry],
  });
});

test('a later commit has the entries of the earlier ones', () => {
  const child = childImage(base, { diffIds: [two, three], committed, entry, isEmpty: false });
  expect(child.rootfs.diff_ids).toEqual([one, two, three]);
  expect(child.history?.slice(2)).toEqual([{ comment: 'earlier' }, entry]);
});

test('without changes there is an empty entry, or another word for the last layer', () => {
  const unchanged = childImage(base, { diffIds: [], committed: [], entry, isEmpty: true });
  expect(unchanged.rootfs.diff_ids).toEqual([one]);
  expect(unchanged.history?.at(-1)).toEqual({ ...entry, empty_layer: true });
  const again = childImage(base, { diffIds: [two], committed, entry, isEmpty: true });
  expect(again.rootfs.diff_ids).toEqual([one, two]);
  expect(again.history?.slice(2)).toEqual([entry]);
});

test('a parent without a history gets one, so that entries and layers agree', () => {
  const { history: _none, ...silent } = base;
  const child = childImage(silent, { diffIds: [two], committed: [], entry, isEmpty: false });
  expect(child.history).toEqual([{}, entry]);
});

test('what describes the making of the parent is left out, what nobody knows is kept', () => {
  const { author: _author, ...anonymous } = entry;
  const json = JSON.stringify({ ...base, docker_version: '1', container: 'c', 'os.version': '7' });
  const parent = parseImageConfig(Buffer.from(json));
  const child = childImage(parent, { diffIds: [two], committed: [], entry: anonymous, isEmpty: false });
  expect(child).not.toHaveProperty('docker_version');
  expect(child).not.toHaveProperty('container');
  expect(child).not.toHaveProperty('author');
  expect(child).toHaveProperty(['os.version'], '7');
});

test('a squashed image has one layer, and the whole history', () => {
  const squashed = squashedImage(base, { diffId: three, committed, entry });
  expect(squashed.rootfs.diff_ids).toEqual([three]);
  expect(squashed.config).toEqual(base.config);
  expect(squashed.history).toEqual([
    { comment: 'base', empty_layer: true },
    { comment: 'env', empty_layer: true },
    { comment: 'earlier', empty_layer: true },
    entry,
  ]);
  const empty = squashedImage(base, { diffId: undefined, committed: [], entry });
  expect(empty.rootfs.diff_ids).toEqual([]);
  expect(empty.history?.every((one) => one.empty_layer)).toBe(true);
});
