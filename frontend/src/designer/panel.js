// The properties of what is chosen in the drawing, in plain words.
//
//   const panel = openPanel(box, modeler, kit);   kit: words, roles, connectors, stages, field types (GET data-kit-url)
//   panel.show(element)
import { icon, make } from '../dom.js';
import { is, openModel } from './model.js';

const WAITING = ['bpmn:ServiceTask', 'bpmn:SendTask', 'bpmn:ReceiveTask', 'bpmn:IntermediateCatchEvent', 'bpmn:CallActivity', 'bpmn:SubProcess'];

export function openPanel(box, modeler, kit) {
  const word = (key) => kit.words[key] ?? key;
  let number = 0;

  function labelled(label, control, help) {
    number += 1;
    control.id = `property-${number}`;
    const parts = [make('label', { for: control.id }, label), control];
    if (help) parts.push(make('div', { class: 't-help' }, help));
    return make('div', { class: 't-field' }, ...parts);
  }

  function input(label, value, change, { help, area, list, placeholder } = {}) {
    const control = make(area ? 'textarea' : 'input', { class: 'form-control', list, placeholder, rows: area ? 2 : null, spellcheck: 'false' });
    control.value = value;
    control.addEventListener('change', () => change(control.value.trim()));
    return labelled(label, control, help);
  }

  function choose(label, value, options, change, help) {
    const control = make('select', { class: 'form-select' }, ...options.map(([key, text]) => make('option', { value: key, selected: key === value }, text)));
    control.addEventListener('change', () => change(control.value));
    return labelled(label, control, help);
  }

  function tick(label, on, change) {
    const control = make('input', { type: 'checkbox', class: 'form-check-input', checked: on });
    control.addEventListener('change', () => change(control.checked));
    return make('label', { class: 'form-check' }, control, make('span', {}, label));
  }

  function group(title, ...parts) {
    return make('fieldset', { class: 't-designer-group' }, make('legend', {}, title), ...parts.filter(Boolean));
  }

  // Rows of small inputs: form fields, buttons of a task, parameters of a call.
  function rows(model, type, columns, fresh) {
    const list = make('div', { class: 't-designer-rows' });
    for (const row of model.rows(type)) {
      const line = make('div', { class: 't-designer-row' });
      for (const { name, label, options, tickable, when } of columns) {
        if (when && !when(row)) continue;
        const value = row.get(name) ?? '';
        if (tickable) line.append(tick(label, value === 'true' || value === true, (on) => model.setRow(row, name, on ? 'true' : '')));
        else if (options) line.append(choose(label, value, options, (chosen) => { model.setRow(row, name, chosen); show(model.element); }));
        else line.append(input(label, value, (typed) => model.setRow(row, name, typed)));
      }
      const remove = make('button', { type: 'button', class: 'btn btn-quiet btn-sm' }, icon('trash'), word('remove'));
      remove.addEventListener('click', () => { model.removeRow(row); show(model.element); });
      line.append(remove);
      list.append(line);
    }
    const add = make('button', { type: 'button', class: 'btn btn-sm' }, icon('plus'), word('add'));
    add.addEventListener('click', () => { model.addRow(type, fresh()); show(model.element); });
    list.append(add);
    return list;
  }

  const common = (model) => group(word('general'),
    input(word('name'), model.object.name ?? '', (value) => model.setName(value)),
    input(word('documentation'), model.documentation(), (value) => model.setDocumentation(value), { area: true }),
    input(word('id'), model.object.id, (value) => model.setText('id', value), { help: word('idHelp') }));

  const lane = (model) => group(word('whoseLane'),
    choose(word('audience'), model.text('tandem:audience') || 'internal', kit.audiences, (value) => model.setText('tandem:audience', value), word('audienceHelp')),
    choose(word('role'), model.text('tandem:role'), [['', word('noRole')], ...kit.roles], (value) => model.setText('tandem:role', value)));

  const seen = (model) => group(word('whatOthersSee'),
    input(word('publicLabel'), model.text('tandem:publicLabel'), (value) => model.setText('tandem:publicLabel', value), { help: word('publicHelp') }),
    input(word('partnerLabel'), model.text('tandem:partnerLabel'), (value) => model.setText('tandem:partnerLabel', value)),
    input(word('stage'), model.text('tandem:stage'), (value) => model.setText('tandem:stage', value), { help: word('stageHelp') }),
    tick(word('milestone'), String(model.text('tandem:milestone')) === 'true', (on) => model.setText('tandem:milestone', on ? 'true' : '')),
    tick(word('unannounced'), String(model.text('tandem:unannounced')) === 'true', (on) => model.setText('tandem:unannounced', on ? 'true' : '')));

  const person = (model) => [
    group(word('who'),
      input(word('due'), model.text('tandem:due'), (value) => model.setText('tandem:due', value), { help: word('dueHelp'), placeholder: '2 working days' }),
      input(word('target'), model.text('tandem:target'), (value) => model.setText('tandem:target', value), { help: word('targetHelp'), placeholder: '8 working hours' }),
      tick(word('questionsPause'), String(model.text('tandem:questionsPause')) === 'true', (on) => model.setText('tandem:questionsPause', on ? 'true' : '')),
      input(word('inPerson'), model.text('tandem:inPerson'), (value) => model.setText('tandem:inPerson', value), { help: word('inPersonHelp'), placeholder: 'accept' }),
      input(word('assignee'), model.text('tandem:assignee'), (value) => model.setText('tandem:assignee', value), { help: word('expressionHelp') }),
      input(word('candidates'), model.text('tandem:candidates'), (value) => model.setText('tandem:candidates', value)),
      input(word('organisation'), model.text('tandem:organisation'), (value) => model.setText('tandem:organisation', value), { help: word('organisationHelp') })),
    group(word('form'), rows(model, 'tandem:Field', [
      { name: 'label', label: word('label') }, { name: 'id', label: word('variable') }, { name: 'type', label: word('kind'), options: kit.fieldTypes },
      { name: 'options', label: word('options'), when: (row) => ['choice', 'multichoice'].includes(row.type) }, { name: 'help', label: word('help') },
      { name: 'default', label: word('default') }, { name: 'shownWhen', label: word('shownWhen') }, { name: 'required', label: word('required'), tickable: true }, { name: 'readonly', label: word('readonly'), tickable: true },
    ], () => ({ id: `field_${model.rows('tandem:Field').length + 1}`, label: word('newField'), type: 'text' }))),
    group(word('buttons'), rows(model, 'tandem:Action', [
      { name: 'label', label: word('label') }, { name: 'id', label: word('id') },
      { name: 'style', label: word('look'), options: [['', word('plain')], ['primary', word('primary')], ['danger', word('danger')]] },
      { name: 'requires', label: word('requires'), options: [['', word('nothing')], ['reason', word('reason')]] },
    ], () => ({ id: `action_${model.rows('tandem:Action').length + 1}`, label: word('newButton') }))),
  ];

  function call(model) {
    const chosen = kit.connectors.find((one) => one.key === model.text('tandem:connector'));
    return [group(word('call'),
      choose(word('connector'), model.text('tandem:connector'), [['', '–'], ...kit.connectors.map((one) => [one.key, one.key])], (value) => {
        model.setText('tandem:connector', value);
        const has = new Set(model.rows('tandem:Param').map((row) => row.name));
        for (const name of kit.connectors.find((one) => one.key === value)?.required ?? []) if (!has.has(name)) model.addRow('tandem:Param', { name, value: `= ${name}` });
        show(model.element);
      }, chosen?.doc),
      input(word('result'), model.text('tandem:result'), (value) => model.setText('tandem:result', value), { help: word('resultHelp') })),
    group(word('parameters'), rows(model, 'tandem:Param', [{ name: 'name', label: word('name') }, { name: 'value', label: word('value') }], () => ({ name: '', value: '= ' })))];
  }

  const rule = (model) => group(word('decision'),
    input(word('decisionName'), model.text('tandem:decision'), (value) => model.setText('tandem:decision', value)),
    input(word('result'), model.text('tandem:result'), (value) => model.setText('tandem:result', value), { help: word('resultHelp') }));

  const flow = (model) => group(word('when'),
    input(word('condition'), model.condition(), (value) => model.setCondition(value), { area: true, help: word('conditionHelp') }),
    is(model.object.sourceRef, 'bpmn:ExclusiveGateway') || is(model.object.sourceRef, 'bpmn:InclusiveGateway') ? tick(word('otherwise'), model.isDefaultFlow(), (on) => model.setDefaultFlow(on)) : null);

  function timer(model) {
    const { kind, value } = model.timer();
    return group(word('timer'),
      choose(word('kind'), kind, [['timeDuration', word('after')], ['timeDate', word('at')], ['timeCycle', word('every')]], (chosen) => { model.setTimer(chosen, value); show(model.element); }),
      input(word('value'), value, (typed) => model.setTimer(kind, typed), { help: word('dueHelp'), placeholder: 'PT48H' }));
  }

  // A condition that starts the process is about records of one kind; the others are about the process's own variables.
  function awaited(model) {
    const begins = model.startsProcess();
    const kind = kit.watched.find((one) => one.key === model.text('tandem:watches'));
    return group(word(begins ? 'whenItBegins' : 'waitsFor'),
      begins ? choose(word('watches'), model.text('tandem:watches'), [['', '–'], ...kit.watched.map((one) => [one.key, one.label])], (chosen) => { model.setText('tandem:watches', chosen); show(model.element); }, word('watchesHelp')) : null,
      input(word('condition'), model.eventCondition(), (value) => model.setEventCondition(value), { area: true, help: kind ? word('watchedFields').replace('{names}', kind.fields.join(', ')) : begins ? null : word('conditionHelp') }));
  }

  function message(model) {
    const { name, correlation } = model.message();
    return group(word('message'),
      input(word('name'), name, (value) => model.setMessage(value, correlation)),
      input(word('correlation'), correlation, (value) => model.setMessage(model.message().name, value), { help: word('correlationHelp') }));
  }

  function whole(model) {
    const process = model.process();
    if (!process) return group(word('general'));
    return group(word('process'),
      input(word('name'), process.name ?? '', (value) => { model.setProcess('name', value); if (model.object !== process) model.setName(value); }),
      input(word('key'), process.id, (value) => model.setProcess('id', value), { help: word('keyHelp') }),
      input(word('title'), process.get('tandem:title') ?? '', (value) => model.setProcess('tandem:title', value), { help: word('expressionHelp') }),
      input(word('target'), process.get('tandem:target') ?? '', (value) => model.setProcess('tandem:target', value), { help: word('targetHelp'), placeholder: '5 working days' }),
      input(word('startableBy'), process.get('tandem:startableBy') ?? '', (value) => model.setProcess('tandem:startableBy', value), { help: kit.roles.map(([key]) => key).join(', ') }),
      input(word('subject'), process.get('tandem:subject') ?? '', (value) => model.setProcess('tandem:subject', value), { help: kit.subjects.join(', ') }));
  }

  function show(element) {
    const object = element.businessObject;
    const model = openModel(modeler, element.type === 'label' ? element.labelTarget : element);
    const parts = [];
    if (is(object, 'bpmn:Participant') || is(object, 'bpmn:Process') || is(object, 'bpmn:Collaboration')) parts.push(whole(model));
    else parts.push(common(model));
    if (is(object, 'bpmn:Lane')) parts.push(lane(model));
    if (is(object, 'bpmn:UserTask')) parts.push(...person(model));
    if (WAITING.some((kind) => is(object, kind))) parts.push(group(word('howLong'),
      input(word('target'), model.text('tandem:target'), (value) => model.setText('tandem:target', value), { help: word('targetHelp'), placeholder: '8 working hours' })));
    if (is(object, 'bpmn:ServiceTask') || is(object, 'bpmn:SendTask')) parts.push(...call(model));
    if (is(object, 'bpmn:BusinessRuleTask')) parts.push(rule(model));
    if (is(object, 'bpmn:SequenceFlow')) parts.push(flow(model));
    if (model.timer()) parts.push(timer(model));
    if (model.eventCondition() !== undefined) parts.push(awaited(model));
    if (model.message()) parts.push(message(model));
    if (is(object, 'bpmn:FlowNode')) parts.push(seen(model));
    box.replaceChildren(make('div', { class: 't-designer-kind' }, kit.kinds[object.$type] ?? object.$type.replace('bpmn:', '')), ...parts);
  }

  return { show, clear: () => box.replaceChildren(make('p', { class: 't-help' }, word('chooseSomething'))) };
}
