// Writes .vite/icons.svg: one sprite of the icons named in src/icons.txt (a name a line; "name/filled" takes the filled one).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const names = [...new Set(readFileSync(new URL('src/icons.txt', root), 'utf8').split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean))].sort();
const symbols = names.map((name) => {
  const [plain, style = 'outline'] = name.split('/');
  const file = new URL(`node_modules/@tabler/icons/icons/${style}/${plain}.svg`, root);
  if (!existsSync(file)) throw new Error(`No such icon: ${name} (see https://tabler.io/icons)`);
  const inner = readFileSync(file, 'utf8').replace(/<!--[\s\S]*?-->/g, '').match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, '').replace(/\s+/g, ' ').trim();
  return `<symbol id="${plain}" viewBox="0 0 24 24">${inner}</symbol>`;
});
mkdirSync(new URL('.vite/', root), { recursive: true });
writeFileSync(new URL('.vite/icons.svg', root), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>\n`);
