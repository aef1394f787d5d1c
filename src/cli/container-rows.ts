// The lines of `veneer ps`.

import type { Container, ContainerSize } from '../container/index.js';
import { formatSize } from '../core/index.js';
import { portsText } from './container-ports.js';
import { commandText, stateWord, statusText } from './container-status.js';
import { networkName } from './network-name.js';
import type { Row } from './output.js';
import { fitText } from './text.js';
import { ago, timestamp } from './time.js';

/** docker's width of COMMAND. */
const WIDTH = 20;

export interface ContainerRowOptions {
  /** Short IDs and commands. */
  readonly trunc: boolean;
  /** Undefined where nobody has asked: it takes a walk through what was written. */
  readonly size?: ContainerSize | undefined;
}

export function containerRow(container: Container, { trunc, size }: ContainerRowOptions): Row {
  const { id, name, imageReference, created, mountpoint, labels, command, mounts, host } = container;
  const text = commandText(command).replace(/\s+/g, ' ');
  const row: Row = {
    ID: trunc ? id.slice(0, 12) : id,
    Image: imageReference,
    Command: `"${trunc ? fitText(text, WIDTH) : text}"`,
    CreatedSince: ago(created),
    RunningFor: ago(created),
    get CreatedAt() {
      return timestamp(created);
    },
    Status: statusText(container),
    State: stateWord(container),
    Ports: portsText(container),
    Names: name,
    Mountpoint: mountpoint ?? '',
    Mounts: mounts.map(mountName).join(','),
    LocalVolumes: String(mounts.filter(({ Type }) => Type === 'volume').length),
    Networks: networkName(host),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    ...(size === undefined ? {} : { Size: sizeText(size) }),
  };
  // For {{.Label "KEY"}}: no column, and nothing in JSON.
  return Object.defineProperty(row, 'Label', { value: labels });
}

/** A volume by its name, anything else by where it comes from. */
export function mountName({ Name, Source }: Container['mounts'][number]): string {
  return Name ?? Source;
}

/** What it has written, and that with its layers. */
function sizeText({ writable, layers }: ContainerSize): string {
  return `${formatSize(writable)} (virtual ${formatSize(writable + layers)})`;
}
