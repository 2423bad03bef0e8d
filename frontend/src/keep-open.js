// What a reader has opened stays open when its fragment is re-read.
//
//   <details id="versions-…">…</details>    nothing to write but an id that stays the same
const open = new Set();

document.addEventListener('htmx:beforeSwap', ({ detail }) => {
  open.clear();
  for (const one of detail.target?.querySelectorAll?.('details[id][open]:not(.t-menu)') ?? []) open.add(one.id);
});
document.addEventListener('htmx:afterSettle', () => {
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  open.clear();
});
