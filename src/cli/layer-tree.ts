// The layers of several images as a tree: those that images have in common are there once.

import type { ChainId } from '../image/index.js';

export interface TreeImage {
  /** What it is called in the picture. */
  readonly names: readonly string[];
  /** Bottom first. */
  readonly layers: readonly ChainId[];
}

export interface LayerNode {
  readonly id: ChainId;
  /** The layer below. */
  readonly parent: LayerNode | undefined;
  /** How many of the images have it. */
  users: number;
  /** Of the images that end here. */
  readonly names: string[];
  /** What lies on it. */
  readonly children: LayerNode[];
}

export interface LayerTree {
  readonly roots: readonly LayerNode[];
  /** All nodes, each after the one it lies on. */
  readonly nodes: readonly LayerNode[];
  /** Of images without layers. */
  readonly empty: readonly string[];
  readonly images: number;
}

export function growTree(images: readonly TreeImage[]): LayerTree {
  // A ChainID stands for all that is below, too.
  const nodes = new Map<ChainId, LayerNode>();
  const roots: LayerNode[] = [];
  const empty: string[] = [];
  for (const { names, layers } of images) {
    let parent: LayerNode | undefined;
    for (const id of layers) {
      let node = nodes.get(id);
      if (node === undefined) {
        node = { id, parent, users: 0, names: [], children: [] };
        nodes.set(id, node);
        (parent?.children ?? roots).push(node);
      }
      node.users += 1;
      parent = node;
    }
    (parent?.names ?? empty).push(...names);
  }
  return { roots, nodes: [...nodes.values()], empty, images: images.length };
}

/** A line of the picture: a layer, or a chain of them, of which only the last has an image or several layers on it. */
export interface TreeLine {
  /** The branches to the left of it. */
  readonly branch: string;
  readonly layers: readonly LayerNode[];
}

/** The least that is folded. */
const FOLDED = 4;

/** From a node up to the first branch, or to the end. */
function segmentFrom(node: LayerNode): LayerNode[] {
  const segment = [node];
  for (let at = node; at.children.length === 1;) {
    at = at.children[0] ?? at;
    segment.push(at);
  }
  return segment;
}

/** Runs of layers for a line each. An image's top layer ends a run: the line names the image. */
function foldSegment(segment: readonly LayerNode[], fold: boolean): LayerNode[][] {
  const lines: LayerNode[][] = [];
  let run: LayerNode[] = [];
  for (const [at, node] of segment.entries()) {
    run.push(node);
    if (node.names.length === 0 && at < segment.length - 1) continue;
    if (fold && run.length >= FOLDED) lines.push(run);
    else lines.push(...run.map((one) => [one]));
    run = [];
  }
  return lines;
}

/** The lines of the picture, bottom layers first. */
export function treeLines(roots: readonly LayerNode[], options: { fold: boolean }): TreeLine[] {
  const lines: TreeLine[] = [];
  const draw = (node: LayerNode, first: string, rest: string): void => {
    const segment = segmentFrom(node);
    for (const [at, layers] of foldSegment(segment, options.fold).entries()) {
      lines.push({ branch: at === 0 ? first : rest, layers });
    }
    const children = segment.at(-1)?.children ?? [];
    for (const [at, child] of children.entries()) {
      const isLast = at === children.length - 1;
      draw(child, `${rest}${isLast ? '\u2514\u2500 ' : '\u251c\u2500 '}`, `${rest}${isLast ? '   ' : '\u2502  '}`);
    }
  };
  for (const root of roots) draw(root, '', '');
  return lines;
}
