// The lines of `veneer system df`.

import { listContainers } from '../container/index.js';
import { formatSize } from '../core/index.js';
import type { Store, StoreUsage, Usage } from '../store/index.js';
import { containerRow } from './container-rows.js';
import { imageRows } from './image-rows.js';
import type { Row } from './output.js';
import { volumeRow } from './volume-row.js';

function usageRow(type: string, { totalCount, active, size, reclaimable }: Usage): Row {
  const share = size > 0 ? ` (${String(Math.floor((100 * reclaimable) / size))}%)` : '';
  return {
    Type: type,
    TotalCount: String(totalCount),
    Active: String(active),
    Size: formatSize(size),
    Reclaimable: `${formatSize(reclaimable)}${share}`,
  };
}

export function summaryRows({ images, containers, volumes, blobs }: StoreUsage): Row[] {
  return [
    usageRow('Images', images),
    usageRow('Containers', containers),
    usageRow('Local Volumes', volumes),
    usageRow('Blobs', blobs),
  ];
}

export function volumeUsageRows(store: Store, { volumes }: StoreUsage): Row[] {
  return volumes.items.map(({ volume, size, links }) => ({
    ...volumeRow(store, volume),
    Links: String(links),
    Size: formatSize(size),
  }));
}

/** A row an image, by its first name, as docker has it. */
export function imageUsageRows({ images }: StoreUsage, trunc: boolean): Row[] {
  return images.items.flatMap(({ image, sharedSize, containers }) => {
    const usage = new Map([[image.id, { shared: sharedSize, containers }]]);
    return imageRows(image, { trunc, digests: false, usage }).slice(0, 1);
  });
}

export function containerUsageRows(store: Store, { containers }: StoreUsage, trunc: boolean): Row[] {
  const sizes = new Map(containers.items.map(({ container, size }) => [container.id, size]));
  return listContainers(store).map((container): Row => ({
    ...containerRow(container, { trunc }),
    Size: formatSize(sizes.get(container.id) ?? 0),
  }));
}
