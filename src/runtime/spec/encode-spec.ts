// A specification as JSON text. Limits are 64-bit numbers, which JSON has and JavaScript's numbers have not.

import { randomUUID } from 'node:crypto';
import type { OciProcess, OciSpec } from './oci-spec.js';

export function encodeSpec(spec: OciSpec | OciProcess): string {
  const mark = randomUUID();
  const text = JSON.stringify(spec, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${mark}${String(value)}` : value,
  );
  return text.replaceAll(new RegExp(`"${mark}([0-9]+)"`, 'g'), '$1');
}
