// The lines of `veneer ps`.

import type { Container } from '../container/index.js';
import type { Row } from './output.js';
import { fitText } from './text.js';
import { ago, timestamp } from './time.js';

/** docker's width of COMMAND. */
const WIDTH = 20;

function commandText({ command }: Container, trunc: boolean): string {
  const text = command.join(' ').replace(/\s+/g, ' ');
  return `"${trunc ? fitText(text, WIDTH) : text}"`;
}

export function containerRow(container: Container, trunc: boolean): Row {
  const { id, name, imageReference, created, state, run, mountpoint, labels } = container;
  return {
    ID: trunc ? id.slice(0, 12) : id,
    Image: imageReference,
    Command: commandText(container, trunc),
    CreatedSince: ago(created),
    get CreatedAt() {
      return timestamp(created);
    },
    Status: state === 'mounted' ? 'Mounted' : 'Created',
    State: run.status === 'created' ? state : run.status,
    Ports: '',
    Names: name,
    Mountpoint: mountpoint ?? '',
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
}
