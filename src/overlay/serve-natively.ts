// A mount through `fuse-native`, which calls its handlers in the main thread of a process.

import { NativeSession, loadFuseNative } from '../fuse-native/index.js';
import type { OverlayOptions } from './options.js';
import { mountFlags, openOverlay } from './serve.js';
import type { ServerEvents } from './server.js';
import { showOverlay } from './shown-fs.js';

/** Opens the layers, mounts, and answers from the event loop until un-mounted. Throws VeneerError. */
export async function serveNatively(options: OverlayOptions, events: ServerEvents): Promise<void> {
  const session = new NativeSession({
    library: loadFuseNative(),
    mountpoint: options.mountpoint,
    source: options.source ?? 'veneer',
    subtype: 'veneer',
    flags: mountFlags(options),
    filesystem: showOverlay(openOverlay(options), options),
    timeout: options.timeout,
    onReady: events.ready,
    logError: events.log,
  });
  await session.run();
}
