// A volume as a row of a listing, by docker's fields.

import type { Store, VolumeRecord } from '../store/index.js';
import type { Row } from './output.js';

/** What takes a walk through its files is docker's 'N/A', as in docker's own listing. */
export function volumeRow(store: Store, { name, labels }: VolumeRecord): Row {
  return {
    Availability: 'N/A',
    Driver: 'local',
    Group: 'N/A',
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Links: 'N/A',
    Mountpoint: store.volumes.path(name),
    Name: name,
    Scope: 'local',
    Size: 'N/A',
    Status: 'N/A',
  };
}
