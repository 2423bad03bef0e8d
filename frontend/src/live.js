// One WebSocket a page. The server sends topics, never data; whoever follows a topic re-reads its own fragment.
//
//   <section data-live="crm.deal:12 inbox:user:5" hx-get="…" hx-trigger="live" hx-swap="outerHTML">
//
// The element gets a `live` event (bubbles not) when one of its topics is pinged, and once after a lost connection
// is back, for something may have happened meanwhile. The server is told when the page was read (`data-read-at` of the body, in its
// seconds), and pings at once what was pinged between that and the following.
import { onElement, whenReady, word } from './dom.js';

const FIRST_WAIT = 500;
const LONGEST_WAIT = 20_000;

let socket = null;
let followed = '';
let wait = FIRST_WAIT;
let wasOpen = false;
let note = null;
const due = new Map();
const reading = new Map();

const arrived = performance.getEntriesByType('navigation')[0]?.responseStart ?? 0;
const readAt = Number(document.body.dataset.readAt);
const serverTime = () => readAt + (performance.now() - arrived) / 1000;
let oldest = readAt; // when the oldest of what isn't followed yet was read; null where nothing was since

const holders = () => [...document.querySelectorAll('[data-live]')];
const topicsOf = (element) => (element.dataset.live || '').split(/\s+/).filter(Boolean);

function follow() {
  const topics = [...new Set(holders().flatMap(topicsOf))].sort();
  const now = topics.join(' ');
  if (topics.length && !socket) connect();
  if (socket?.readyState !== WebSocket.OPEN || now === followed) return;
  followed = now;
  socket.send(JSON.stringify({ follow: topics, since: oldest ?? serverTime() }));
  oldest = null;
}

// Many pings in a burst are one re-read.
function wake(element, topic) {
  if (due.has(element)) return;
  due.set(element, setTimeout(() => {
    due.delete(element);
    if (reading.has(element)) reading.get(element).add(topic);
    else if (element.isConnected) element.dispatchEvent(new CustomEvent('live', { detail: { topic } }));
    else hear(new Set([topic]));
  }, 60 + Math.random() * 120));
}

function hear(pinged) {
  for (const element of holders()) {
    const hit = topicsOf(element).find((name) => pinged.has(name));
    if (hit) wake(element, hit);
  }
}

// What is pinged while a fragment is being re-read may have happened after the server read it: whoever stands there then reads again.
document.addEventListener('htmx:beforeSend', ({ detail }) => {
  oldest ??= serverTime();
  if (detail.elt.dataset?.live) reading.set(detail.elt, new Set());
});
document.addEventListener('htmx:afterRequest', ({ detail }) => {
  const missed = reading.get(detail.elt);
  reading.delete(detail.elt);
  if (missed?.size) hear(missed);
});

function wakeAll() {
  for (const element of holders()) wake(element, '');
}

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  socket = new WebSocket(`${scheme}://${location.host}/ws/live/`);
  socket.addEventListener('open', () => {
    followed = '';
    wait = FIRST_WAIT;
    follow();
    say(false);
    if (wasOpen) wakeAll();
    wasOpen = true;
  });
  socket.addEventListener('message', (event) => {
    const { topics } = JSON.parse(event.data);
    if (!topics) return;
    hear(new Set(topics));
    document.dispatchEvent(new CustomEvent('live:ping', { detail: { topics } }));
  });
  socket.addEventListener('close', () => {
    socket = null;
    if (wasOpen) setTimeout(() => { if (!socket) say(true); }, 4000);
    setTimeout(follow, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

function say(lost) {
  if (!lost) { note?.remove(); note = null; return; }
  if (note || socket?.readyState === WebSocket.OPEN) return;
  note = document.createElement('div');
  note.className = 't-offline';
  note.setAttribute('role', 'status');
  note.textContent = word('offline', 'Connection lost. Reconnecting…');
  document.body.append(note);
}

onElement('[data-live]', () => queueMicrotask(follow));
whenReady(follow);
document.addEventListener('htmx:afterSettle', follow);
document.addEventListener('visibilitychange', () => { if (!document.hidden && !socket) follow(); });

// A fragment with `data-reads` is read by somebody, if the page is before their eyes: the server is told, and marks it as read. What came
// while nobody looked is told when they look.
let unseen = false;
document.addEventListener('htmx:configRequest', ({ detail }) => {
  if (!('reads' in (detail.elt.dataset ?? {}))) return;
  if (document.hidden) unseen = true;
  else detail.headers['X-Seen'] = 'yes';
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden || !unseen) return;
  unseen = false;
  document.querySelectorAll('[data-live][data-reads]').forEach((element) => wake(element, ''));
});
addEventListener('pagehide', () => { wasOpen = false; socket?.close(); });
