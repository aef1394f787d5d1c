import { describe, expect, test } from 'vitest';
import { chartOf } from '../../../scripts/benchmark/report/chart.js';
import { WORKLOADS as REAL } from '../../../scripts/benchmark/workloads/index.js';
import { requires } from '../../helpers/requires.js';
import { sampleReport, workload } from './report-sample.js';
import type { Sample } from './report-sample.js';
import { all, parseXml } from './xml.js';
import type { Element } from './xml.js';

const gate = requires('python3');

const draw = (sample: Sample = {}): Element => parseXml(chartOf(sampleReport(sample)));

const named = (root: Element, name: string): Element[] => all(root).filter((it) => it.name === name);
const textsOf = (root: Element): string[] => named(root, 'text').map(({ text }) => text);
const number = (it: Element, attribute: string): number => Number(it.attributes[attribute]);

/** The bars are the rectangles that say what they are. */
const barsOf = (root: Element): Element[] => named(root, 'rect').filter(({ children }) => children.length > 0);
const labelOf = (bar: Element): string => bar.children[0]!.text;

/** The vertical line below a label of the axis. */
function tick(root: Element, label: string): number {
  const found = named(root, 'text').find(({ text }) => text === label);
  return number(found!, 'x');
}

describe.skipIf(gate.skip)(gate.title('the chart'), () => {
  test('is an SVG that fits its own size and names itself', () => {
    const root = draw();
    expect(root).toMatchObject({ name: 'svg', namespace: 'http://www.w3.org/2000/svg' });
    expect(root.attributes['viewBox']).toBe(`0 0 ${root.attributes['width']!} ${root.attributes['height']!}`);
    expect(root.children[0]).toMatchObject({
      name: 'title',
      text: expect.stringContaining('kernel overlayfs') as string,
    });
  });

  test('says when and on which machine it was measured', () => {
    const texts = textsOf(draw());
    expect(texts).toContain('Time relative to kernel overlayfs');
    expect(texts).toContain('2026-11-21, Example CPU, 2 CPUs');
    expect(texts).toContain('kernel 6.18.44, ext4, commit abc1234; medians of 5 rounds');
    expect(textsOf(draw({ quick: true, rounds: 1 }))).toContain(
      'kernel 6.18.44, ext4, commit abc1234; one round; QUICK: SIZES TOO SMALL FOR FIGURES',
    );
  });

  test('has a group for each workload, with a bar for each backend but the kernel', () => {
    const groups = named(draw(), 'g').map((group) => [
      group.attributes['id'],
      textsOf(group).slice(0, 2),
      barsOf(group).map(labelOf),
    ]);
    expect(groups).toEqual([
      [
        'untar',
        ['untar', 'untar of a tree'],
        ['host: 0.50×  2.00 s', 'veneer: 1.50×  6.00 s', 'fuse-overlayfs: 4.00×  16.0 s'],
      ],
      ['rm-rf', ['rm-rf', 'rm-rf of a tree'], ['host: 0.40×  0.200 s', 'veneer: 0.50×  0.250 s']],
    ]);
  });

  test('says of a failed backend that it failed', () => {
    expect(textsOf(draw())).toContain('fuse-overlayfs: failed');
  });

  test('draws bars from 1 to the ratio, on the logarithmic scale that it names', () => {
    const root = draw();
    expect(textsOf(root).find((text) => text.includes('logarithmic scale'))).toMatch(
      /faster.*kernel overlayfs.*slower/,
    );
    const [host, veneer, peer] = barsOf(root);
    const [half, one, double, four] = [tick(root, '1/2×'), tick(root, '1×'), tick(root, '2×'), tick(root, '4×')];
    const ends = (bar: Element): number[] => [number(bar, 'x'), number(bar, 'x') + number(bar, 'width')];
    expect(ends(host!)[0]).toBeCloseTo(half, 0);
    expect(ends(host!)[1]).toBeCloseTo(one, 0);
    expect(ends(veneer!)[0]).toBeCloseTo(one, 0);
    expect(ends(veneer!)[1]).toBeCloseTo(one + Math.log2(1.5) * (double - one), 0);
    expect(ends(peer!)[1]).toBeCloseTo(four, 0);
    expect(double - one).toBeCloseTo(one - half, 0);
    const lines = named(root, 'line').map((line) => number(line, 'x1'));
    expect(lines).toEqual(expect.arrayContaining([half, one, double, four]));
    for (const line of named(root, 'line')) {
      expect(number(line, 'y1')).toBeLessThan(number(host!, 'y'));
      expect(number(line, 'y2')).toBeGreaterThan(number(barsOf(root).at(-1)!, 'y'));
    }
  });

  test('has a legend with the colours of the bars, a colour for each', () => {
    const backends = ['kernel', 'host', 'veneer', 'veneer-native', 'veneer+a', 'veneer+b', 'fuse-overlayfs'];
    const medians = Object.fromEntries(backends.map((name, index) => [name, index + 1]));
    const root = draw({ backends, workloads: [workload('untar', medians)] });
    const squares = new Map(
      named(root, 'text').flatMap((text) => {
        const square = named(root, 'rect').find(
          (rect) => number(rect, 'x') === number(text, 'x') - 15 && number(rect, 'y') === number(text, 'y') - 9,
        );
        return square === undefined ? [] : [[text.text, square.attributes['fill']] as const];
      }),
    );
    const drawn = barsOf(root).map((bar) => [labelOf(bar).split(': ')[0]!, bar.attributes['fill']] as const);
    expect([...squares.keys()]).toEqual(backends.slice(1));
    expect(drawn).toEqual([...squares]);
    expect(new Set(squares.values()).size).toBe(squares.size);
  });

  test('gives a backend the same colour whoever else takes part', () => {
    const colour = (backends: readonly string[]): string | undefined =>
      barsOf(draw({ backends })).find((bar) => labelOf(bar).startsWith('veneer:'))!.attributes['fill'];
    expect(colour(['kernel', 'veneer'])).toBe(colour(['host', 'kernel', 'fuse-overlayfs', 'veneer']));
  });

  test('keeps text from becoming markup, and is XML whatever the names are', () => {
    const processor = `<b>&amp; "x" 'y' \x00\x1b\ud800 é 😀`;
    const backends = ['kernel', 'veneer@/tmp/<a>&"b"'];
    const one = {
      ...workload('un"tar<', { kernel: 1, 'veneer@/tmp/<a>&"b"': 2 }),
      title: '</text><script>a && b</script>',
    };
    const root = draw({ processor, backends, workloads: [one] });
    const texts = textsOf(root);
    expect(texts).toContain(`2026-11-21, <b>&amp; "x" 'y' \ufffd\ufffd\ufffd é 😀, 2 CPUs`);
    expect(texts).toContain('veneer@/tmp/<a>&"b"');
    expect(texts).toContain('</text><script>a && b</script>');
    expect(named(root, 'script')).toEqual([]);
    expect(named(root, 'g')[0]!.attributes).toEqual({ id: 'un"tar<' });
  });

  test.each([
    ['workloads', { workloads: [] }, 0],
    ['the kernel', { backends: ['veneer'], workloads: [workload('untar', { veneer: 3 })] }, 1],
    ["the kernel's success", { workloads: [workload('untar', { kernel: 'killed', veneer: 3 })] }, 1],
    ["a time of the kernel's", { workloads: [workload('untar', { kernel: 0, veneer: 3 })] }, 1],
  ])('without %s has no bars, and says how many are missing', (_what, sample, missing) => {
    const root = draw(sample);
    expect(barsOf(root)).toEqual([]);
    const note = `Not shown, for want of a time on kernel overlayfs, workloads: ${String(missing)}`;
    expect(textsOf(root).includes(note)).toBe(missing > 0);
  });

  test('ends also where a backend took no measurable time', () => {
    const root = draw({ workloads: [workload('untar', { kernel: 1, host: 0, veneer: 2 })] });
    expect(barsOf(root).map(labelOf)).toEqual(['veneer: 2.00×  2.00 s']);
    expect(textsOf(root)).toContain('host: too short to be timed');
  });

  test('is the same text for the same report', () => {
    expect(chartOf(sampleReport())).toBe(chartOf(sampleReport()));
    expect(chartOf(sampleReport())).toMatch(/^<svg [^]*<\/svg>\n$/);
    expect(chartOf(sampleReport())).not.toMatch(/NaN|Infinity|undefined/);
  });
});

/** Where a text is, with letters of 0.57 em, which most sans-serif fonts stay below. */
function box(it: Element): { left: number; right: number; top: number; bottom: number } {
  const [x, y, size] = [number(it, 'x'), number(it, 'y'), number(it, 'font-size')];
  const width = it.text.length * size * 0.57;
  const left = { start: x, middle: x - width / 2, end: x - width }[it.attributes['text-anchor']!]!;
  return { left, right: left + width, top: y - size * 0.75, bottom: y + size * 0.1 };
}

/** Contrast with white, as WCAG 2 defines it. */
function contrast(colour: string): number {
  const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = channels.map((it) => (it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
  return 1.05 / (0.2126 * red! + 0.7152 * green! + 0.0722 * blue! + 0.05);
}

const MANY = ['host', 'kernel', 'veneer', 'veneer-native', 'fuse-overlayfs'];
const LONG = [
  'veneer@/home/someone/first-checkout',
  'veneer@/home/someone/second-checkout',
  'veneer+volatile+metacopy=on',
];

describe.skipIf(gate.skip).each([
  ['one backend', ['kernel', 'veneer']],
  ['many backends, some with long names', [...MANY, ...LONG]],
])(gate.title('the chart of all workloads, with %s'), (_what, backends) => {
  const times = [0.004, 4, 6.1, 7.2, 71.5, 6.2, 6.3, 6.4];
  const workloads = REAL.map(({ name, title }) => ({
    ...workload(name, Object.fromEntries(backends.map((backend, index) => [backend, times[index]!]))),
    title,
  }));

  const root = (): Element =>
    draw({ backends, workloads, processor: 'Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz', quick: true });

  test('has all its text inside, and no text over another', () => {
    const svg = root();
    const boxes = named(svg, 'text').map((it) => ({ text: it.text, ...box(it) }));
    expect(boxes.length).toBeGreaterThan((backends.length + 1) * REAL.length);
    const [width, height] = [number(svg, 'width'), number(svg, 'height')];
    expect(boxes.filter((it) => it.left < 0 || it.right > width || it.top < 0 || it.bottom > height)).toEqual([]);
    const over = boxes.flatMap((one, index) =>
      boxes
        .slice(index + 1)
        .filter((it) => it.left < one.right && one.left < it.right && it.top < one.bottom && one.top < it.bottom)
        .map((it) => [one.text, it.text]),
    );
    expect(over).toEqual([]);
  });

  test('is on a white ground of its own, from which text and bars stand out', () => {
    const svg = root();
    const ground = named(svg, 'rect')[0]!;
    expect(ground.attributes).toMatchObject({ fill: '#ffffff', x: '0.5', y: '0.5' });
    expect(number(ground, 'width') + 1).toBe(number(svg, 'width'));
    expect(number(ground, 'height') + 1).toBe(number(svg, 'height'));
    const fills = (name: string): string[] => [...new Set(named(svg, name).map((it) => it.attributes['fill']!))];
    expect(fills('text').filter((colour) => contrast(colour) < 4.5)).toEqual([]);
    expect(fills('rect').filter((colour) => colour !== '#ffffff' && contrast(colour) < 3)).toEqual([]);
  });
});
