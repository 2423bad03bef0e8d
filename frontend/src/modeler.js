// The bundle of the page where processes are drawn, checked and published: {% block scripts %}{% bundle "modeler" %}{% endblock %}
//
//   <div data-designer data-kit-url="…" data-check-url="…" data-try-url="…" data-publish-url="…" data-xml-url="… or empty" data-key="request_to_delivery">
//     <div data-designer-canvas></div> <aside data-designer-panel></aside> <ul data-designer-problems></ul>
//     <div data-designer-trial></div>
//     <button data-designer-do="undo|redo|check|try|publish|download|fit">
//   The drawing is kept in this browser with every change, so that no error and no lost connection takes it away. The bpmn.io mark stays fully visible.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import 'bpmn-js/dist/assets/bpmn-font/css/bpmn-embedded.css';
import 'bpmn-js-token-simulation/assets/css/bpmn-js-token-simulation.css';
import './styles/designer.css';
import BpmnModeler from 'bpmn-js/lib/Modeler';
import tokenSimulation from 'bpmn-js-token-simulation';
import { icon, make, onElement, send } from './dom.js';
import { ask } from './dialog.js';
import { toast } from './toast.js';
import { tandem } from './designer/moddle.js';
import { openPanel } from './designer/panel.js';
import { blank } from './designer/start.js';
import { openTrial } from './designer/trial.js';

const READABLE = 0.65;
const AUDIENCES = ['internal', 'partner', 'customer'];

function colour(modeler) {
  const canvas = modeler.get('canvas');
  for (const lane of modeler.get('elementRegistry').filter((one) => one.type === 'bpmn:Lane')) {
    const audience = lane.businessObject.get('tandem:audience') || 'internal';
    for (const one of AUDIENCES) canvas[one === audience ? 'addMarker' : 'removeMarker'](lane, `lane-${one}`);
  }
}

// The whole drawing where it is readable so, else its beginning; beside the palette, not under it.
function showFrom(canvas) {
  canvas.zoom('fit-viewport');
  const zoom = Math.max(READABLE, Math.min(1, canvas.zoom() * 0.85));
  const { inner, outer } = canvas.viewbox();
  const { clientWidth, clientHeight } = canvas.getContainer();
  canvas.viewbox({ x: inner.x - 130 / zoom, y: inner.y - 72 / zoom, width: (clientWidth || outer.width) / zoom, height: (clientHeight || outer.height) / zoom });
}

function select(modeler, id) {
  const element = modeler.get('elementRegistry').get(id);
  if (!element) return;
  modeler.get('selection').select(element);
  modeler.get('canvas').scrollToElement(element, 80);
}

function showProblems(list, modeler, told, words) {
  const lines = [...(told.problems ?? []).map((one) => ({ ...one, bad: true })), ...(told.warnings ?? [])];
  for (const element of modeler.get('elementRegistry').getAll()) modeler.get('canvas').removeMarker(element, 'has-incident');
  list.replaceChildren(...lines.map((one) => {
    if (one.bad && one.element_id && modeler.get('elementRegistry').get(one.element_id)) modeler.get('canvas').addMarker(one.element_id, 'has-incident');
    const button = make('button', { type: 'button', class: 't-menu-item' }, icon(one.bad ? 'alert-circle' : 'alert-triangle'), make('span', {}, make('strong', {}, one.message), ' ', one.remedy || ''));
    button.addEventListener('click', () => select(modeler, one.element_id));
    return make('li', { class: one.bad ? 'is-bad' : 'is-warn' }, button);
  }));
  if (!lines.length) list.append(make('li', { class: 'is-good' }, make('span', { class: 't-menu-item' }, icon('circle-check'), words.noProblems)));
}


onElement('[data-designer]', async (frame) => {
  const part = (name) => frame.querySelector(`[data-designer-${name}]`);
  const buttons = frame.querySelectorAll('[data-designer-do]');
  for (const button of buttons) button.disabled = true; // until the drawing is there
  const { kitUrl, checkUrl, tryUrl, publishUrl, xmlUrl, key, copy } = frame.dataset;
  const kit = await (await fetch(kitUrl)).json();
  const draftKey = `drawing:${document.body.dataset.user}:${copy ? `copy-of-${key}` : key || 'new'}`;
  const modeler = new BpmnModeler({ container: part('canvas'), moddleExtensions: { tandem }, additionalModules: [tokenSimulation] });
  const panel = openPanel(part('panel'), modeler, kit);
  const xml = async () => (await modeler.saveXML({ format: true })).xml;

  let published = xmlUrl ? await (await fetch(xmlUrl)).text() : blank('new_process', kit.words.newProcess);
  if (copy) published = published.replaceAll(`"${key}"`, `"${key}_copy"`);
  const draft = localStorage.getItem(draftKey);
  const open = async (text) => {
    await modeler.importXML(text);
    showFrom(modeler.get('canvas'));
    colour(modeler);
    panel.show(modeler.get('elementRegistry').filter((one) => one.type === 'bpmn:Participant')[0] ?? modeler.get('canvas').getRootElement());
  };
  try {
    await open(draft ?? published);
    part('draft').hidden = !draft;
  } catch {
    await open(published);
  }

  let timer;
  modeler.on('commandStack.changed', () => {
    colour(modeler);
    trial.clear();
    clearTimeout(timer);
    timer = setTimeout(async () => {
      localStorage.setItem(draftKey, await xml());
      part('draft').hidden = false;
    }, 500);
  });
  modeler.on('selection.changed', ({ newSelection }) => {
    if (newSelection.length === 1) panel.show(newSelection[0]);
    else if (!newSelection.length) panel.show(modeler.get('elementRegistry').filter((one) => one.type === 'bpmn:Participant')[0] ?? modeler.get('canvas').getRootElement());
    part('panel').scrollTop = 0;
  });

  async function check() {
    const answer = await send(checkUrl, { xml: await xml(), base: copy ? '' : key ?? '' });
    const told = await answer.json();
    showProblems(part('problems'), modeler, told, kit.words);
    part('problems').closest('section').hidden = false;
    return answer.ok ? told : null;
  }

  const trial = openTrial(part('trial'), modeler, kit, () => acts.try());

  const acts = {
    undo: () => modeler.get('commandStack').undo(),
    redo: () => modeler.get('commandStack').redo(),
    fit: () => modeler.get('canvas').zoom('fit-viewport', 'auto'),
    check,
    async try() {
      const answer = await send(tryUrl, { xml: await xml(), base: copy ? '' : key ?? '', ...trial.given() });
      const told = await answer.json().catch(() => ({}));
      if (told.problems) {
        showProblems(part('problems'), modeler, told, kit.words);
        part('problems').closest('section').hidden = false;
        return toast({ text: kit.words.mendFirst, kind: 'warn' });
      }
      if (!told.trial) return toast({ text: kit.words.tryFailed, kind: 'bad' });
      trial.show(told.trial);
      const card = part('trial').closest('section');
      card.hidden = false;
      card.scrollIntoView({ block: 'nearest' });
      return null;
    },
    async publish() {
      const told = await check();
      if (!told) return toast({ text: kit.words.mendFirst, kind: 'warn' });
      if (!await ask(kit.words.publishQuestion.replace('{name}', told.name), { note: kit.words.publishNote.replace('{n}', told.running), yes: kit.words.publish, danger: false })) return null;
      const answer = await send(publishUrl, { xml: await xml(), base: copy ? '' : key ?? '', note: part('note').value });
      const result = await answer.json();
      if (!answer.ok) return showProblems(part('problems'), modeler, result, kit.words);
      localStorage.removeItem(draftKey);
      location.href = result.url;
      return null;
    },
    async forget() {
      if (!await ask(kit.words.forgetQuestion, { yes: kit.words.forget })) return;
      clearTimeout(timer);
      localStorage.removeItem(draftKey);
      await open(published);
      part('draft').hidden = true;
    },
    async download() {
      const link = make('a', { href: URL.createObjectURL(new Blob([await xml()], { type: 'application/xml' })), download: `${key || 'process'}.bpmn` });
      link.click();
      URL.revokeObjectURL(link.href);
    },
  };
  for (const button of buttons) button.disabled = false;
  frame.addEventListener('click', (event) => acts[event.target.closest('[data-designer-do]')?.dataset.designerDo]?.());
});
