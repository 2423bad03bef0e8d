// A trial run under the drawing: what happened step by step, the way it took, and the answers to change and try again.
//
//   const trial = openTrial(box, modeler, kit, (given) => run again with { answers, data });
//   trial.show(told.trial), trial.clear(), trial.given()
import { icon, make } from '../dom.js';

const ICONS = { start: 'player-play', task: 'user', timer: 'clock', message: 'mail', finish: 'link', refused: 'alert-circle', continue: 'route' };
const TONES = { good: 'circle-check', warn: 'alert-triangle', bad: 'alert-circle' };
const MARKS = ['trial-taken', 'trial-waiting'];
const INPUTS = { number: 'number', money: 'number', date: 'date', boolean: 'checkbox' };

const written = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const read = (text) => { try { return JSON.parse(text); } catch { return text; } };

export function openTrial(box, modeler, kit, again) {
  const answers = {};
  const data = {};
  const canvas = modeler.get('canvas');
  const elements = modeler.get('elementRegistry');

  function mark({ taken = [], waiting = [] } = {}) {
    for (const element of elements.getAll()) for (const name of MARKS) canvas.removeMarker(element, name);
    for (const id of taken) if (elements.get(id)) canvas.addMarker(id, MARKS[0]);
    for (const id of waiting) if (elements.get(id)) canvas.addMarker(id, MARKS[1]);
  }

  function labelled(label, control, help) {
    const id = `trial-${box.querySelectorAll('label').length}-${Math.random().toString(36).slice(2, 7)}`;
    control.id = id;
    return make('div', { class: 't-field' }, make('label', { for: id }, label), control, help ? make('div', { class: 't-help' }, help) : null);
  }

  function choice(options, value, change) {
    const control = make('select', { class: 'form-select' }, ...options.map(([key, text]) => make('option', { value: key, selected: key === value }, text)));
    control.addEventListener('change', () => change(control.value));
    return control;
  }

  function typed(type, value, change) {
    const kind = INPUTS[type] ?? 'text';
    const tick = kind === 'checkbox';
    const control = make('input', { type: kind, class: tick ? 'form-check-input' : 'form-control', step: kind === 'number' ? 'any' : null });
    if (tick) control.checked = value === true || value === 'true';
    else control.value = value ?? '';
    control.addEventListener('change', () => change(tick ? control.checked : kind === 'number' && control.value !== '' ? Number(control.value) : control.value));
    return control;
  }

  function asked(line) {
    const keep = (name, value) => { (answers[line.element] ??= {})[name] = value; };
    const fields = line.fields.map((field) => labelled(field.label, field.options.length && field.type !== 'multichoice'
      ? choice(field.options, field.value, (value) => keep(field.id, value))
      : typed(field.type, field.value, (value) => keep(field.id, field.type === 'multichoice' ? value.split(',').map((one) => one.trim()) : value))));
    if (line.actions.length > 1) fields.push(labelled(kit.words.decidedWith, choice(line.actions, line.action, (value) => keep('action', value))));
    return fields.length ? make('div', { class: 't-trial-answers' }, ...fields) : null;
  }

  function step(line) {
    const words = make('button', { type: 'button', class: 'btn btn-link btn-sm t-trial-step' }, line.words);
    words.disabled = !elements.get(line.element);
    words.addEventListener('click', () => { modeler.get('selection').select(elements.get(line.element)); canvas.scrollToElement(line.element, 80); });
    return make('li', { class: line.audience ? `is-${line.audience}` : null },
      make('span', { class: 't-timeline-dot' }, icon(ICONS[line.act] ?? 'route')),
      make('div', {}, words, line.fields ? asked(line) : null, line.then.length ? make('div', { class: 't-help' }, `→ ${line.then.join(' → ')}`) : null));
  }

  function assumed(variables) {
    const names = Object.keys({ ...variables, ...data });
    if (!names.length) return null;
    return make('fieldset', { class: 't-designer-group' }, make('legend', {}, kit.words.beginsWith), make('p', { class: 't-help' }, kit.words.beginsWithHelp),
      make('div', { class: 't-trial-answers' }, ...names.map((name) => labelled(name, typed('text', written(data[name] ?? variables[name]), (value) => { data[name] = read(value); })))));
  }

  function functions(answered) {
    if (!answered.length) return null;
    return make('fieldset', { class: 't-designer-group' }, make('legend', {}, kit.words.functionsAnswer), make('p', { class: 't-help' }, kit.words.functionsAnswerHelp),
      make('div', { class: 't-trial-answers' }, ...answered.map(([id, name, answer]) => labelled(name, typed('text', written(answer), (value) => { answers[id] = read(value); })))));
  }

  function show(told) {
    mark(told);
    const repeat = make('button', { type: 'button', class: 'btn' }, icon('refresh'), kit.words.tryAgain);
    repeat.addEventListener('click', again);
    box.replaceChildren(
      make('p', { class: `t-trial-result is-${told.tone}`, role: 'status' }, icon(TONES[told.tone]), make('strong', {}, told.result)),
      ...[assumed(told.assumed), functions(told.answered)].filter(Boolean),
      make('ol', { class: 't-timeline' }, ...told.lines.map(step)),
      make('div', {}, repeat));
  }

  return { show, clear: () => mark(), given: () => ({ answers: JSON.stringify(answers), data: JSON.stringify(data) }) };
}
