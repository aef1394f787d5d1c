import { describe, expect, test } from 'vitest';
import { growTree, treeLines } from '../../../src/cli/layer-tree.js';
import type { ChainId } from '../../../src/image/index.js';

/** Images as words: each letter is a layer on those before it. */
function grow(...images: readonly string[]) {
  return growTree(
    images.map((word) => ({
      names: [word],
      layers: Array.from(word, (_letter, at) => word.slice(0, at + 1) as ChainId),
    })),
  );
}

function draw(tree: ReturnType<typeof grow>, fold = true): string[] {
  return treeLines(tree.roots, { fold }).map(({ branch, layers }) => {
    const ids = layers.map(({ id }) => id).join(' ');
    return `${branch}${ids}${(layers.at(-1)?.names ?? []).map((name) => ` <${name}>`).join('')}`;
  });
}

describe('layers as a tree', () => {
  test('have one line each, and those in common are there once', () => {
    expect(draw(grow('ab', 'abc', 'abd', 'x'))).toEqual([
      'a',
      'ab <ab>',
      '\u251c\u2500 abc <abc>',
      '\u2514\u2500 abd <abd>',
      'x <x>',
    ]);
  });

  test('branch again', () => {
    expect(draw(grow('aef', 'aeg', 'ah'))).toEqual([
      'a',
      '\u251c\u2500 ae',
      '\u2502  \u251c\u2500 aef <aef>',
      '\u2502  \u2514\u2500 aeg <aeg>',
      '\u2514\u2500 ah <ah>',
    ]);
  });

  test('are folded where a long chain leads to an image or a branch', () => {
    expect(draw(grow('abcd', 'abcdefg', 'abcdefghijX', 'abcdefghijY'))).toEqual([
      'a ab abc abcd <abcd>',
      'abcde',
      'abcdef',
      'abcdefg <abcdefg>',
      'abcdefgh',
      'abcdefghi',
      'abcdefghij',
      '\u251c\u2500 abcdefghijX <abcdefghijX>',
      '\u2514\u2500 abcdefghijY <abcdefghijY>',
    ]);
    expect(draw(grow('abcd'), false)).toEqual(['a', 'ab', 'abc', 'abcd <abcd>']);
  });

  test('know how many images have them', () => {
    const { nodes, images, empty } = grow('ab', 'abc', '', 'ab');
    expect(nodes.map(({ id, users, parent }) => [id, users, parent?.id])).toEqual([
      ['a', 3, undefined],
      ['ab', 3, 'a'],
      ['abc', 1, 'ab'],
    ]);
    expect({ images, empty }).toEqual({ images: 4, empty: [''] });
    expect(nodes[1]?.names).toEqual(['ab', 'ab']);
  });

  test('may be very deep', () => {
    const tree = grow('a'.repeat(2000), `${'a'.repeat(1000)}b`);
    expect(draw(tree)).toHaveLength(3);
    expect(draw(tree, false)).toHaveLength(2001);
  });
});
