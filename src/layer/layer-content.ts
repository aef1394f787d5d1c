// The way from the references in a skeleton to the files that have the content.

import { existsSync } from 'node:fs';
import { displayBytes, errno, SysError, VeneerError } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { ContentFiles } from './content-files.js';
import { openContent } from './found-entry.js';
import { LowerView } from './lower-view.js';
import { SkeletonReader } from './skeleton-reader.js';

/** An error about a file of a layer in the store. */
export function damagedLayer(path: ByteString, how: string): VeneerError {
  return new VeneerError('integrity', `'${displayBytes(path)}' of a layer ${how}`, {
    hint: "the layer's directory in the store has been changed: get or build the image again",
  });
}

/** Where content went that the archive itself replaced: it is what references before that one mean. */
interface Replacement {
  readonly before: number;
  readonly number: number;
}

/** What was replaced, by path, in order. Few archives have any. */
async function readReplacements(skeleton: string): Promise<Map<ByteString, Replacement[]>> {
  using reader = new SkeletonReader(skeleton);
  const found = new Map<ByteString, Replacement[]>();
  let [references, number] = [0, 0];
  for (let frame = await reader.next(); frame.kind !== 'end'; frame = await reader.next()) {
    if (frame.kind === 'own' || frame.kind === 'merged') references += 1;
    if (frame.kind !== 'replaced') continue;
    const replacement = { before: references, number };
    number += 1;
    const ofPath = found.get(frame.path);
    if (ofPath === undefined) found.set(frame.path, [replacement]);
    else ofPath.push(replacement);
  }
  return found;
}

export interface LayerContentOptions {
  readonly skeleton: string;
  readonly replaced: string;
  /** The layer's own, then those below it. */
  readonly directories: readonly string[];
}

export class LayerContent implements Disposable {
  readonly #options: LayerContentOptions;
  readonly #replacements: ReadonlyMap<ByteString, Replacement[]>;
  /** References taken. */
  #references = 0;
  #own: ContentFiles | undefined;
  #replaced: ContentFiles | undefined;
  #merged: LowerView | undefined;

  private constructor(options: LayerContentOptions, replacements: ReadonlyMap<ByteString, Replacement[]>) {
    this.#options = options;
    this.#replacements = replacements;
  }

  static async open(options: LayerContentOptions): Promise<LayerContent> {
    const replacements = existsSync(options.replaced)
      ? await readReplacements(options.skeleton)
      : new Map<string, []>();
    return new LayerContent(options, replacements);
  }

  /**
   * An fd of the content that the next reference means, which the caller closes. References must be taken in their order.
   * Throws `integrity` for a file that is gone, SysError for any other failure.
   */
  take(where: 'own' | 'merged', path: ByteString): number {
    const fd = where === 'own' ? this.#openOwn(path) : this.#openMerged(path);
    this.#references += 1;
    if (fd >= 0) return fd;
    if (fd === -errno.ENOENT || fd === -errno.ENOTDIR || fd === -errno.ELOOP) throw damagedLayer(path, 'is gone');
    throw new SysError(-fd, 'open', displayBytes(path));
  }

  #openOwn(path: ByteString): number {
    const replacement = this.#replacements.size === 0 ? undefined : this.#nextReplacement(path);
    if (replacement !== undefined) {
      return (this.#replaced ??= new ContentFiles(this.#options.replaced)).open(String(replacement.number));
    }
    return (this.#own ??= new ContentFiles(this.#options.directories[0] ?? '')).open(path);
  }

  #nextReplacement(path: ByteString): Replacement | undefined {
    const ofPath = this.#replacements.get(path);
    // Those of earlier references are of no use any more.
    while (ofPath?.[0] !== undefined && ofPath[0].before <= this.#references) ofPath.shift();
    return ofPath?.[0];
  }

  #openMerged(path: ByteString): number {
    const found = (this.#merged ??= new LowerView(this.#options.directories)).find(path);
    return found?.kind === 'other' ? openContent(found) : -errno.ENOENT;
  }

  [Symbol.dispose](): void {
    this.#own?.[Symbol.dispose]();
    this.#replaced?.[Symbol.dispose]();
    this.#merged?.[Symbol.dispose]();
  }
}
