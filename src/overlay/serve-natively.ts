// A mount through `fuse-native`, which works in the main thread of a process only.

import { EventLoopOffload, NativeSession, loadFuseNative } from '../fuse-native/index.js';
import type { OverlayOptions } from './options.js';
import { mountFlags, openOverlay } from './serve.js';
import { detailOf } from './server.js';
import type { Server, ServerEvents } from './server.js';
import { showOverlay } from './shown-fs.js';

/** Opens the layers, mounts, and answers from the event loop of this thread. Throws VeneerError. */
export function serveNatively(options: OverlayOptions, events: ServerEvents): Server {
  const library = loadFuseNative();
  const offload = new EventLoopOffload();
  const overlay = openOverlay(options, offload);
  const session = new NativeSession({
    library,
    mountpoint: options.mountpoint,
    source: options.source ?? 'veneer',
    subtype: 'veneer',
    flags: mountFlags(options),
    filesystem: showOverlay(overlay, options),
    timeout: options.timeout,
    onReady: events.ready,
    logError: (message, error) => {
      events.log(message, detailOf(error));
    },
  });
  const unmount = (): void => {
    session.endMount();
  };
  return { ended: session.run().finally(() => offload.close()), unmount };
}
