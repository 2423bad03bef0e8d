import './scripts/icons.mjs'; // writes the sprite of icons before the build reads it
import { existsSync } from 'node:fs';
import { defineConfig } from 'vite';
import compress from './scripts/compress.mjs';

const entries = ['app', 'viewer', 'charts', 'modeler'].map((name) => `src/${name}.js`).filter((path) => existsSync(path));

export default defineConfig({
  base: '/static/',
  plugins: [compress()],
  build: {
    outDir: 'dist', manifest: 'manifest.json', target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 900, modulePreload: { polyfill: false },
    rollupOptions: { input: entries },
  },
  css: { preprocessorOptions: { scss: { loadPaths: ['node_modules'], quietDeps: true } } },
});
