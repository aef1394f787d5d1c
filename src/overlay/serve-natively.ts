// A mount through `fuse-native`, which calls its handlers in the main thread of a process.

import { NativeSession, loadFuseNative } from '../fuse-native/index.js';
import type { OverlayOptions } from './options.js';
import { mountFlags, openOverlay } from './serve.js';
import type { ServerEvents } from './server.js';
import { showOverlay } from './shown-fs.js';

/** Milliseconds between two looks whether something is left to be done. */
const TIDY_EVERY = 100;

/** Opens the layers, mounts, and answers from the event loop until un-mounted. Throws VeneerError. */
export async function serveNatively(options: OverlayOptions, events: ServerEvents): Promise<void> {
  const overlay = openOverlay(options);
  const tidying = setInterval(() => overlay.work?.tidy(), TIDY_EVERY);
  const session = new NativeSession({
    library: loadFuseNative(),
    mountpoint: options.mountpoint,
    source: options.source ?? 'veneer',
    subtype: 'veneer',
    flags: mountFlags(options),
    filesystem: showOverlay(overlay, options),
    timeout: options.timeout,
    onReady: events.ready,
    logError: events.log,
  });
  try {
    await session.run();
  } finally {
    clearInterval(tidying);
  }
}
