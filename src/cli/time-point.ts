// Points in time as docker's `until` reads them: an age (`24h`, `1h30m`), a date, or seconds since 1970.

import { VeneerError } from '../core/index.js';
import { readDuration } from './duration.js';

/** RFC 3339, whole or cut off behind the date, the minutes or the seconds; local time where no zone is given. */
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:\d\d)?$/;

/** Throws `usage`. */
export function parseTimePoint(text: string, now = new Date()): Date {
  const age = readDuration(text);
  if (age !== undefined) return new Date(now.getTime() - age);
  if (/^\d+(?:\.\d{1,9})?$/.test(text)) return new Date(Number(text) * 1000);
  // JavaScript takes a date alone for UTC, and wants a time before a zone.
  const local = text.replace(/^(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)?$/, '$1T00:00$2');
  const date = new Date(local);
  if (!DATE.test(text) || Number.isNaN(date.getTime())) {
    throw new VeneerError('usage', `'${text}' is not a time`, {
      hint: "write an age such as '24h' or '1h30m', a date such as '2024-05-01' or '2024-05-01T12:00:00', or seconds since 1970",
    });
  }
  return date;
}
