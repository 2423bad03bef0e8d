// htmx, set for this portal: it never evaluates strings, refusals (400, 409, 422) are shown where the answer goes,
// failures are said in words, an ended session leads to the sign-in page, a slow answer shows a line at the top.
//
//   <form hx-post="…" hx-target="this" hx-swap="outerHTML">   a 409 with the form and its error replaces the form
import htmx from 'htmx.org';
import { csrfToken, make, whenReady, word } from './dom.js';
import { toast } from './toast.js';

Object.assign(htmx.config, {
  includeIndicatorStyles: false,
  allowEval: false,
  allowScriptTags: false,
  defaultSwapStyle: 'outerHTML',
  defaultSettleDelay: 0,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  scrollIntoViewOnBoost: false,
  responseHandling: [
    { code: '204', swap: false },
    { code: '[23]..', swap: true },
    { code: '400|409|422', swap: true, error: false },
    { code: '...', swap: false, error: true },
  ],
});
window.htmx = htmx;

const SORRY = {
  403: ['refused', 'You may not do this.'],
  404: ['gone', 'This is no longer here.'],
  413: ['tooBig', 'The file is too big.'],
  429: ['tooOften', 'Too many attempts. Please wait a little.'],
};

document.addEventListener('htmx:responseError', ({ detail }) => {
  if (detail.xhr.status === 401) return; // said by the server's toast: the session ended, what was typed stays
  const [key, text] = SORRY[detail.xhr.status] ?? ['failed', 'Something went wrong on our side. Nothing was changed; please try again.'];
  toast({ text: word(key, text), kind: 'bad' });
});
document.addEventListener('htmx:sendError', () => toast({ text: word('noNetwork', 'No connection. Please try again.'), kind: 'bad' }));
document.addEventListener('htmx:beforeSwap', ({ detail }) => {
  const ended = detail.xhr.responseURL.includes('/accounts/login/') && !location.pathname.startsWith('/accounts/');
  if (!ended) return;
  detail.shouldSwap = false;
  const back = new URLSearchParams({ next: location.pathname + location.search, ended: 'yes' });
  location.assign(`${new URL(detail.xhr.responseURL).pathname}?${back}`);
});

// Who signed in again in another tab has a new token: forms of this page go with it instead of failing.
document.addEventListener('htmx:configRequest', ({ detail }) => { detail.headers['X-CSRFToken'] = csrfToken(); });
document.addEventListener('submit', ({ target }) => {
  const field = target.querySelector('input[name="csrfmiddlewaretoken"]');
  if (field && target.method === 'post') field.value = csrfToken() || field.value;
}, true);

let running = 0;
let timer = null;
const line = make('div', { class: 't-loading-bar', 'aria-hidden': 'true' });
whenReady(() => document.body.append(line));
document.addEventListener('htmx:beforeRequest', () => {
  running += 1;
  timer ??= setTimeout(() => line.classList.add('is-on'), 250);
});
document.addEventListener('htmx:afterRequest', () => {
  running = Math.max(0, running - 1);
  if (running) return;
  clearTimeout(timer);
  timer = null;
  line.classList.remove('is-on');
});

export { htmx };
