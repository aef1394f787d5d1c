import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer history'), () => {
  test("history prints docker's table, newest first", () => {
    using box = sandboxWithBase('history');
    const [head, line] = box.ok('history', 'base').split('\n');
    expect(head).toMatch(/^IMAGE {2,}CREATED {2,}CREATED BY {2,}SIZE {2,}COMMENT$/);
    expect(line?.startsWith(box.ok('images', '-q'))).toBe(true);
    expect(box.ok('history', '-q', '--no-trunc', 'base')).toBe(box.ok('images', '-q', '--no-trunc'));
    expect(JSON.parse(box.ok('history', '--human=false', '--format', 'json', 'base'))).toMatchObject({
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown,
      Size: expect.stringMatching(/^\d+$/) as unknown,
    });
    expect(box.fails(1, 'history', 'none')).toContain('none');
    box.fails(2, 'history');
    box.fails(2, 'history', 'base', 'base');
  });

  test('takes flags as docker does', () => {
    using box = sandboxWithBase('history');
    const facts = (...args: string[]): string => box.ok('history', '--format', '{{.ID}} {{.Size}}', ...args);
    expect(facts('-H', 'base')).toBe(facts('base'));
    expect(facts('--human=true', '--no-trunc=false', 'base')).toBe(facts('base'));
    expect(facts('--human=0', 'base')).toMatch(/^[0-9a-f]{12} \d+$/);
    expect(box.ok('history', '-H=false', 'base').split('\n')[0]).toMatch(/^IMAGE +CREATED AT +CREATED BY/);
    expect(box.ok('history', '--format', 'table {{.Size}}\\t{{.CreatedSince}}', 'base').split('\n')[0]).toMatch(
      /^SIZE +CREATED$/,
    );
  });
});

/** base, on it mid, on that a:1; on base b, with two names; and other, which shares nothing. */
function family(): Sandbox {
  const box = sandboxWithBase('tree');
  const derive = (from: string, to: string): void => {
    box.ok('create', '--name', 'work', from);
    const upper = box.ok('inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'work');
    writeFileSync(path.join(upper, `file-of-${to}`), to);
    box.ok('commit', '-m', `makes ${to}`, 'work', to);
    box.ok('rm', 'work');
  };
  derive('base', 'mid');
  derive('mid', 'a:1');
  derive('base', 'b:1');
  box.ok('tag', 'b:1', 'b:2');
  box.ok('import', box.tar('other.tar', { other: 'o' }), 'other');
  return box;
}

describe.skipIf(gate.skip)(gate.title('veneer history --tree'), () => {
  test('is a picture of the layers, bottom first, those in common once', () => {
    using box = family();
    const lines = box.ok('history', '--tree').split('\n');
    expect(lines[0]).toMatch(/^LAYER {2,}SIZE {2,}CREATED BY {2,}IMAGES$/);
    const picture = lines.slice(1, -2).map((line) => line.replace(/[0-9a-f]{12}/, 'LAYER').replace(/ {2,}/g, '|'));
    expect(picture).toEqual([
      expect.stringMatching(/^LAYER\|\d+B\|Imported from base.tar\|base:latest$/),
      '\u251c\u2500 LAYER|3B|makes mid|mid:latest',
      '\u2502|LAYER|3B|makes a:1|a:1',
      '\u2514\u2500 LAYER|3B|makes b:1|b:1, b:2',
      'LAYER|1B|Imported from other.tar|other:latest',
    ]);
    expect(lines.at(-1)).toMatch(
      /^5 images, 5 layers, \d+B: \d+B shared \(2 layers\), 7B in one image only \(3 layers\); without sharing \d+B$/,
    );
  });

  test('of some images, and of one', () => {
    using box = family();
    expect(box.ok('history', '--tree', 'a:1', 'b:2').split('\n')).toHaveLength(7);
    expect(box.ok('history', '--tree', 'other').split('\n')).toEqual([
      expect.stringMatching(/^LAYER /),
      expect.stringMatching(/^[0-9a-f]{12} +1B +Imported from other.tar +other:latest$/),
      '',
      '1 image, 1 layer, 1B',
    ]);
    expect(box.fails(1, 'history', '--tree', 'none')).toContain('no such image: none');
    const layers = box.ok('history', '--tree', '--no-trunc', '--format', 'json', 'a:1').split('\n');
    const [bottom, mid, top] = layers.map((line) => JSON.parse(line) as Record<string, string>);
    expect([mid?.['Parent'], top?.['Parent']]).toEqual([bottom?.['ID'], mid?.['ID']]);
    expect(top).toMatchObject({ Images: 'a:1', CreatedBy: 'makes a:1', Users: '1', Size: '3B' });
  });
});
