// Tabs inside a page. Tabs that are addresses need no script: use links with aria-current.
//
//   <div role="tablist" class="t-tabs"> <button role="tab" aria-controls="panel-a" aria-selected="true">A</button> … <div role="tabpanel" id="panel-a">
import { onElement } from './dom.js';

// More tabs than fit: the present one comes into view, and an edge that goes on fades.
onElement('.t-tabs', (list) => {
  const now = list.querySelector('[aria-current], [aria-selected=true]');
  if (now) list.scrollLeft = now.offsetLeft - list.offsetLeft - (list.clientWidth - now.offsetWidth) / 2;
  const mark = () => {
    list.classList.toggle('is-cut-start', list.scrollLeft > 4);
    list.classList.toggle('is-cut-end', list.scrollLeft + list.clientWidth < list.scrollWidth - 4);
  };
  list.addEventListener('scroll', mark, { passive: true });
  new ResizeObserver(mark).observe(list);
});

onElement('[role=tablist]', (list) => {
  const tabs = [...list.querySelectorAll('[role=tab]')];
  const choose = (tab, focus) => {
    for (const other of tabs) {
      const on = other === tab;
      other.setAttribute('aria-selected', on);
      other.tabIndex = on ? 0 : -1;
      const panel = document.getElementById(other.getAttribute('aria-controls'));
      if (panel) panel.hidden = !on;
    }
    if (focus) tab.focus();
    tab.dispatchEvent(new CustomEvent('tab:shown', { bubbles: true }));
  };
  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tab]');
    if (tab) choose(tab);
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    choose(tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length], true);
  });
  choose(tabs.find((tab) => tab.getAttribute('aria-selected') === 'true') ?? tabs[0]);
});
