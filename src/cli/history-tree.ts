// `history --tree`: which layers images share, as a picture.

import { formatSize, shortDigest } from '../core/index.js';
import { familiarReference, parseReference } from '../image/index.js';
import type { ChainId } from '../image/index.js';
import type { Image, Layer, Store } from '../store/index.js';
import { growTree, treeLines } from './layer-tree.js';
import type { LayerNode, LayerTree } from './layer-tree.js';
import { formatTable, printListing } from './output.js';
import type { Listing, Row } from './output.js';
import { fitText, shortenCommand } from './text.js';

export interface TreeOptions {
  readonly trunc: boolean;
  readonly human: boolean;
  readonly quiet?: true;
  readonly format?: string;
}

const LISTING: Listing = {
  columns: [
    ['LAYER', 'ID'],
    ['SIZE', 'Size'],
    ['CREATED BY', 'CreatedBy'],
    ['IMAGES', 'Images'],
  ],
  key: 'ID',
};

function namesOf({ id, references, digests }: Image): string[] {
  const names = references.length > 0 ? references : digests;
  return names.length === 0 ? [shortDigest(id)] : names.map((name) => familiarReference(parseReference(name)));
}

/** What made a layer, as the newest image that has it tells. Configurations are read when they are needed. */
class Origins {
  readonly #store: Store;
  readonly #image = new Map<ChainId, Image>();
  readonly #created = new Map<ChainId, string>();

  constructor(store: Store, images: readonly Image[]) {
    this.#store = store;
    for (const image of images) for (const layer of image.layers) this.#image.set(layer, image);
  }

  of(id: ChainId): string {
    const image = this.#image.get(id);
    if (!this.#created.has(id) && image !== undefined) this.#read(image);
    return this.#created.get(id) ?? '';
  }

  /** Every entry of the history that is not empty made one layer, from the bottom up. */
  #read({ id, layers }: Image): void {
    const made = (this.#store.images.config(id).history ?? []).filter((entry) => entry.empty_layer !== true);
    for (const [at, layer] of layers.entries()) {
      const { created_by: createdBy, comment } = made[at] ?? {};
      this.#created.set(layer, createdBy === undefined || createdBy === '' ? (comment ?? '') : createdBy);
    }
  }
}

class Picture {
  readonly #tree: LayerTree;
  readonly #layers: ReadonlyMap<ChainId, Layer>;
  readonly #origins: Origins;
  readonly #options: TreeOptions;

  constructor(store: Store, images: readonly Image[], options: TreeOptions) {
    const oldestFirst = [...images].reverse();
    this.#tree = growTree(oldestFirst.map((image) => ({ names: namesOf(image), layers: image.layers })));
    this.#layers = new Map(store.layers.list().map((layer) => [layer.chainId, layer]));
    this.#origins = new Origins(store, oldestFirst);
    this.#options = options;
  }

  /** A row a layer, for programs. */
  rows(): Row[] {
    const { trunc } = this.#options;
    const id = (of: ChainId): string => (trunc ? shortDigest(of) : of);
    return this.#tree.nodes.map((node) => ({
      ID: id(node.id),
      DiffID: this.#diffId(node),
      Parent: node.parent === undefined ? '' : id(node.parent.id),
      Size: this.#size([node]),
      CreatedBy: this.#createdBy(node),
      Images: node.names.join(', '),
      Users: String(node.users),
    }));
  }

  draw(): string {
    const lines = treeLines(this.#tree.roots, { fold: this.#options.trunc }).map(({ branch, layers }) => {
      const top = layers.at(-1);
      if (top === undefined) return [];
      const label = layers.length === 1 ? this.#diffId(top) : `${String(layers.length)} layers`;
      return [branch + label, this.#size(layers), this.#createdBy(top), top.names.join(', ')];
    });
    const empty = this.#tree.empty.length === 0 ? [] : [['no layers', this.#size([]), '', this.#tree.empty.join(', ')]];
    const table = formatTable([LISTING.columns.map(([heading]) => heading), ...empty, ...lines]);
    return `${this.#fit(table.replace(/ +$/gm, ''))}\n${this.#sums()}\n`;
  }

  /** Lines as wide as the terminal; whole where there is none, or with --no-trunc. */
  #fit(table: string): string {
    const { columns, isTTY } = process.stdout;
    if (!isTTY || !this.#options.trunc || columns < 1) return table;
    return table
      .split('\n')
      .map((line) => fitText(line, columns))
      .join('\n');
  }

  #diffId({ id }: LayerNode): string {
    const diffId = this.#layers.get(id)?.diffId;
    if (diffId === undefined) return '<missing>';
    return this.#options.trunc ? shortDigest(diffId) : diffId;
  }

  #bytes(nodes: readonly LayerNode[]): number {
    return nodes.reduce((sum, { id }) => sum + (this.#layers.get(id)?.size ?? 0), 0);
  }

  #size(nodes: readonly LayerNode[]): string {
    return this.#options.human ? formatSize(this.#bytes(nodes)) : String(this.#bytes(nodes));
  }

  #createdBy({ id }: LayerNode): string {
    const text = this.#origins.of(id);
    return this.#options.trunc ? shortenCommand(text) : text;
  }

  #sums(): string {
    const { nodes, images } = this.#tree;
    const count = (number: number, what: string): string => `${String(number)} ${what}${number === 1 ? '' : 's'}`;
    const part = (what: string, some: readonly LayerNode[]): string =>
      `${this.#size(some)} ${what} (${count(some.length, 'layer')})`;
    const shared = nodes.filter(({ users }) => users > 1);
    const unique = nodes.filter(({ users }) => users === 1);
    const apart = nodes.flatMap((node) => Array<LayerNode>(node.users).fill(node));
    const all = `${count(images, 'image')}, ${count(nodes.length, 'layer')}, ${this.#size(nodes)}`;
    if (images < 2) return all;
    return `${all}: ${part('shared', shared)}, ${part('in one image only', unique)}; without sharing ${this.#size(apart)}`;
  }
}

/** Prints the picture of some images, or of all. */
export function printTree(store: Store, names: readonly string[], options: TreeOptions): void {
  const chosen = new Map(names.map((name) => store.images.resolve(name)).map((image) => [image.id, image]));
  const images =
    names.length === 0 ? store.images.list() : store.images.list({ all: true }).filter(({ id }) => chosen.has(id));
  const picture = new Picture(store, images, options);
  if (options.quiet === true || (options.format !== undefined && options.format !== 'table')) {
    printListing(picture.rows(), LISTING, options);
  } else process.stdout.write(picture.draw());
}
