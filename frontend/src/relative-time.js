// “3 hours ago” that stays true while the page is open; the exact time in the reader's zone is on hover.
//
//   <time datetime="2026-11-22T10:00:00+00:00" data-relative title="22 November 2026, 13:00">2 hours ago</time>
import { onElement, word } from './dom.js';

const STEPS = [['year', 31_557_600], ['month', 2_629_800], ['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'always' });

export function relative(date, now = new Date()) {
  const seconds = (date - now) / 1000;
  for (const [unit, size] of STEPS) if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return word('now', 'just now');
}

function refresh(element) {
  const date = new Date(element.dateTime);
  if (!Number.isNaN(date.valueOf())) element.textContent = relative(date);
}

onElement('time[data-relative]', refresh);
setInterval(() => { if (!document.hidden) for (const element of document.querySelectorAll('time[data-relative]')) refresh(element); }, 30_000);
