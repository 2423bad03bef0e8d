// Menus are <details class="t-menu">: they open without script; this adds closing, arrow keys and staying on the screen.
//
//   <c-menu label="More"><c-menu-item href="…" icon="edit">Edit</c-menu-item></c-menu>

const open = () => document.querySelectorAll('details.t-menu[open]');
const items = (menu) => [...menu.querySelectorAll('.t-menu-item')].filter((item) => item.offsetParent);

document.addEventListener('click', (event) => {
  for (const menu of open()) {
    const inside = menu.contains(event.target);
    if (!inside || event.target.closest('.t-menu-item:not([data-stay])')) menu.open = false;
  }
});

// The list goes to the top layer, so that no scrolling box around the menu cuts it off.
function place(menu) {
  const list = menu.querySelector('.t-menu-list');
  const button = menu.querySelector('summary').getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const fromRight = menu.classList.contains('t-menu-end') || button.left + width > innerWidth - 8;
  const left = fromRight ? button.right - width : button.left;
  const above = button.bottom + height + 8 > innerHeight && button.top > innerHeight - button.bottom;
  list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  list.style.top = `${Math.max(8, above ? button.top - height - 6 : button.bottom + 6)}px`;
}

document.addEventListener('toggle', (event) => {
  const menu = event.target;
  if (!menu.matches?.('details.t-menu')) return;
  menu.querySelector('summary').setAttribute('aria-expanded', menu.open);
  const list = menu.querySelector('.t-menu-list');
  if (!menu.open) {
    if (list.matches(':popover-open')) list.hidePopover();
    return;
  }
  list.popover = 'manual';
  list.showPopover();
  place(menu);
}, true);
for (const name of ['scroll', 'resize']) addEventListener(name, () => { for (const menu of open()) place(menu); }, true);
document.addEventListener('htmx:afterSettle', (event) => { const menu = event.target.closest?.('details.t-menu[open]'); if (menu) place(menu); });

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('details.t-menu');
  if (!menu) return;
  if (event.key === 'Escape' && menu.open) {
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    menu.querySelector('summary').focus();
  }
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  event.preventDefault();
  menu.open = true;
  const all = items(menu);
  const step = event.key === 'ArrowDown' ? 1 : -1;
  const place = all.indexOf(document.activeElement);
  all.at(place < 0 && step < 0 ? -1 : (place + step) % all.length)?.focus();
});
