// docker's words for what is pulled.

import { familiarReference } from '../image/index.js';
import type { Reference } from '../image/index.js';
import type { PulledImage } from '../transfer/index.js';

/** What is said before the layers. */
export function pullingLine({ repository, tag, digest }: Reference): string {
  return `${digest ?? tag ?? ''}: Pulling from ${repository}`;
}

export function digestLine({ digest }: Pick<PulledImage, 'digest'>): string {
  return `Digest: ${digest}`;
}

export function statusLine({ reference, isNew }: Pick<PulledImage, 'reference' | 'isNew'>): string {
  const called = familiarReference(reference);
  return isNew ? `Status: Downloaded newer image for ${called}` : `Status: Image is up to date for ${called}`;
}
