// Light, dark or as the system says. Kept in a cookie so that the server writes it into <html> and nothing flashes.
//
//   <button data-theme-set="dark">Dark</button> <button data-theme-set="auto">As the system</button>

function set(theme) {
  const root = document.documentElement;
  if (theme === 'auto') root.removeAttribute('data-bs-theme');
  else root.setAttribute('data-bs-theme', theme);
  const age = theme === 'auto' ? 0 : 31_536_000;
  document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  document.dispatchEvent(new CustomEvent('theme', { detail: { theme } }));
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-theme-set]');
  if (button) set(button.dataset.themeSet);
});
