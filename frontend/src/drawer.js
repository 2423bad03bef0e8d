// Peek at a record without leaving the list.
//
//   <a href="/work/crm/deals/7/" data-drawer="/work/crm/deals/7/peek/">Deal</a>      a click opens the drawer; with Ctrl it is a plain link
//   <a href="/work/crm/deals/7/" data-drawer>…</a>                                     takes href itself (the view answers an htmx request with a fragment)
//   HX-Trigger: drawer:close                                                         the server may close it
//
// The fragment is swapped into #drawer-body; its first heading names the drawer. Escape and Back close it.
import { htmx } from './requests.js';
import { word } from './dom.js';

const drawer = () => document.getElementById('drawer');

export async function openDrawer(url, { title = '', full = '' } = {}) {
  const box = drawer();
  if (!box) { location.href = full || url; return; }
  box.querySelector('[data-drawer-title]').textContent = title;
  const link = box.querySelector('[data-drawer-full]');
  link.hidden = !full;
  link.href = full || '#';
  const body = box.querySelector('.t-drawer-body');
  body.replaceChildren(document.getElementById('skeleton').content.cloneNode(true));
  if (!box.open) box.showModal();
  await htmx.ajax('GET', url, { target: body, swap: 'innerHTML' });
  const heading = body.querySelector('h1, h2');
  if (heading && !title) box.querySelector('[data-drawer-title]').textContent = heading.textContent.trim();
  else if (!title) box.querySelector('[data-drawer-title]').textContent = word('details', 'Details');
}

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-drawer]');
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const full = opener.getAttribute('href') || '';
  openDrawer(opener.dataset.drawer || full, { title: opener.dataset.drawerTitle || '', full });
});
document.addEventListener('drawer:close', () => drawer()?.close());
