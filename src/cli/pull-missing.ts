// `create IMAGE` and `mount IMAGE DIR` where the store does not have the image: it is pulled, as `docker create` does.

import { VeneerError } from '../core/index.js';
import { familiarReference, formatPlatform, formatReference, parsePlatform, parseReference } from '../image/index.js';
import { platformRank } from '../image/index.js';
import type { Platform, Reference } from '../image/index.js';
import type { Image, Store } from '../store/index.js';
import { isArchiveName } from './archived-images.js';
import type { PullOptions, PullPolicy } from './pull-options.js';
import { withRegistry } from './registry.js';
import { storedName } from './stored-name.js';

export interface PresentOptions extends PullOptions {
  /** What was looked for, if not images alone: `container or image`. */
  readonly among?: string;
}

/**
 * Sees to it that the store has the image of a name, an ID, or in an archive, and returns what to call it there. Throws `not-found`
 * where it has not and may not ask for it.
 */
export async function presentImage(store: Store, text: string, options: PresentOptions): Promise<string> {
  const wanted = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const name = isArchiveName(store, text) ? await storedName(store, text) : text;
  const image = store.images.find(name);
  const unfit = image === undefined ? undefined : unfitPlatform(store, image, wanted);
  const isThere = image !== undefined && unfit === undefined;
  const mayPull = options.pull !== 'never' && (image === undefined ? !isFullId(name) : isNamed(image, name));
  if (isThere && !(mayPull && options.pull === 'always')) return name;
  if (!mayPull) throw absent(text, { unfit, wanted, policy: options.pull });
  if (options.quiet !== true && options.pull === 'missing')
    process.stderr.write(`${whyPull(name, { unfit, wanted, among: options.among })}\n`);
  await pull(store, parseReference(name), { ...options, wanted });
  return name;
}

/** What an image is for, where that is not what is wanted. */
function unfitPlatform(store: Store, { id }: Image, wanted: Platform | undefined): string | undefined {
  if (wanted === undefined) return undefined;
  const config = store.images.config(id);
  return platformRank(config, wanted) === undefined ? formatPlatform(config) : undefined;
}

/** False for an image found by its ID, and for `scratch`: no registry is asked for these. */
function isNamed({ references }: Image, text: string): boolean {
  if (isFullId(text)) return false;
  const reference = parseReference(text);
  return reference.digest !== undefined || references.includes(formatReference(reference));
}

function isFullId(text: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{64}$/.test(text);
}

interface Want {
  /** The platform of what is there, if it is the wrong one. */
  readonly unfit: string | undefined;
  readonly wanted: Platform | undefined;
}

interface Why extends Want {
  readonly among: string | undefined;
}

const forPlatform = ({ unfit, wanted }: Want): string | undefined =>
  unfit === undefined || wanted === undefined ? undefined : `is for ${unfit}, not for ${formatPlatform(wanted)}`;

function absent(text: string, want: Want & { readonly policy: PullPolicy }): VeneerError {
  const wrong = forPlatform(want);
  const hint = want.policy === 'never' ? 'without --pull never its registry is asked' : undefined;
  return new VeneerError('not-found', wrong === undefined ? `no such image: ${text}` : `image '${text}' ${wrong}`, {
    hint: hint ?? "'veneer images' lists what there is",
  });
}

/** docker's words, and ours where docker has none. */
function whyPull(name: string, want: Why): string {
  const wrong = forPlatform(want);
  const called = familiarReference(parseReference(name));
  const found = want.among === undefined ? `image '${called}'` : `${want.among} '${name}'`;
  return wrong === undefined ? `Unable to find ${found} locally` : `Image '${called}' here ${wrong}`;
}

async function pull(
  store: Store,
  reference: Reference,
  options: PullOptions & { wanted: Platform | undefined },
): Promise<void> {
  const { quiet, wanted } = options;
  const { interruptible } = await import('./interruption.js');
  const { ProgressBoard } = await import('./progress.js');
  const { digestLine, PullProgress, statusLine } = await import('./pull-progress.js');
  const { pullImage } = await import('../transfer/index.js');
  using board = new ProgressBoard({ quiet });
  await interruptible((signal) =>
    withRegistry(
      options,
      async (client) => {
        const progress = new PullProgress(board);
        progress.begin(reference);
        const { onProgress } = progress;
        const pulled = await pullImage(store, client, reference, { platform: wanted, signal, onProgress });
        progress.found();
        board.note(digestLine(pulled));
        board.note(statusLine(pulled));
      },
      { board },
    ),
  );
}
