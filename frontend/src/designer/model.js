// Reading and changing the drawing, in the words of the panel: every change is one undoable command.
//
//   const model = openModel(modeler, element);
//   model.text('tandem:due'), model.setText('tandem:due', 'PT48H')
//   model.rows('tandem:Param'), model.addRow('tandem:Param', { name: 'deal_id' }), model.removeRow(row)

export const is = (thing, type) => Boolean(thing?.$instanceOf?.(type));

export function openModel(modeler, element) {
  const modeling = modeler.get('modeling');
  const factory = modeler.get('bpmnFactory');
  const object = element.businessObject;
  const change = (target, properties) => modeling.updateModdleProperties(element, target, properties);

  function child(type, parent, properties = {}) {
    const made = factory.create(type, properties);
    made.$parent = parent;
    return made;
  }

  function extensions() {
    if (object.extensionElements) return object.extensionElements;
    const made = child('bpmn:ExtensionElements', object, { values: [] });
    change(object, { extensionElements: made });
    return made;
  }

  function holder(type) {
    if (type !== 'tandem:Field') return { owner: object.extensionElements, key: 'values' };
    const form = object.extensionElements?.values?.find((value) => is(value, 'tandem:Form'));
    return { owner: form, key: 'fields' };
  }

  function ensureHolder(type) {
    const outer = extensions();
    if (type !== 'tandem:Field') return { owner: outer, key: 'values' };
    let form = outer.values?.find((value) => is(value, 'tandem:Form'));
    if (!form) {
      form = child('tandem:Form', outer, { fields: [] });
      change(outer, { values: [...(outer.values ?? []), form] });
    }
    return { owner: form, key: 'fields' };
  }

  // What is typed anew stays in the language (Python, FEEL) that the drawing says of it.
  const expression = (before, parent, body) => child('bpmn:FormalExpression', parent, { body, ...(before?.language && { language: before.language }) });

  const definitionOf = (type) => object.eventDefinitions?.find((one) => is(one, type));

  return {
    object, element,
    text: (name) => object.get(name) ?? '',
    setText: (name, value) => modeling.updateProperties(element, { [name]: value === '' ? undefined : value }),
    setName: (value) => modeling.updateLabel(element, value),
    documentation: () => object.documentation?.[0]?.text ?? '',
    setDocumentation: (value) => change(object, { documentation: value ? [child('bpmn:Documentation', object, { text: value })] : [] }),
    rows: (type) => { const { owner, key } = holder(type); return (owner?.[key] ?? []).filter((one) => is(one, type)); },
    addRow(type, properties = {}) {
      const { owner, key } = ensureHolder(type);
      change(owner, { [key]: [...(owner[key] ?? []), child(type, owner, properties)] });
    },
    removeRow(row) {
      const { owner, key } = holder(row.$type);
      change(owner, { [key]: owner[key].filter((one) => one !== row) });
    },
    setRow: (row, name, value) => change(row, { [name]: value === '' ? undefined : value }),
    condition: () => object.conditionExpression?.body ?? '',
    setCondition: (value) => modeling.updateProperties(element, { conditionExpression: value ? expression(object.conditionExpression, object, value) : undefined }),
    isDefaultFlow: () => object.sourceRef?.default === object,
    setDefaultFlow: (on) => { const source = modeler.get('elementRegistry').get(object.sourceRef.id); modeling.updateProperties(source, { default: on ? object : undefined }); },
    timer() {
      const timer = definitionOf('bpmn:TimerEventDefinition');
      const kind = ['timeDuration', 'timeDate', 'timeCycle'].find((name) => timer?.[name]) ?? 'timeDuration';
      return timer && { kind, value: timer[kind]?.body ?? '' };
    },
    setTimer(kind, value) {
      const timer = definitionOf('bpmn:TimerEventDefinition');
      change(timer, { timeDuration: undefined, timeDate: undefined, timeCycle: undefined, [kind]: value ? expression(timer[kind], timer, value) : undefined });
    },
    // What a conditional event waits for.
    eventCondition() {
      const found = definitionOf('bpmn:ConditionalEventDefinition');
      return found && (found.condition?.body ?? '');
    },
    setEventCondition(value) {
      const found = definitionOf('bpmn:ConditionalEventDefinition');
      change(found, { condition: expression(found.condition, found, value) });
    },
    startsProcess: () => is(object, 'bpmn:StartEvent') && is(object.$parent, 'bpmn:Process'),
    message() {
      const found = definitionOf('bpmn:MessageEventDefinition') ?? (is(object, 'bpmn:ReceiveTask') ? object : null);
      return found && { holder: found, name: found.messageRef?.name ?? '', correlation: found.messageRef?.get('tandem:correlation') ?? '' };
    },
    setMessage(name, correlation) {
      const { holder: owner } = this.message();
      let message = owner.messageRef;
      if (!message) {
        const definitions = modeler.getDefinitions();
        message = child('bpmn:Message', definitions, { id: `Message_${Math.random().toString(36).slice(2, 9)}`, name });
        change(definitions, { rootElements: [...definitions.rootElements, message] });
        change(owner, { messageRef: message });
      }
      change(message, { name, 'tandem:correlation': correlation || undefined });
    },
    process: () => (is(object, 'bpmn:Process') ? object : object.processRef),
    setProcess(name, value) { change(this.process(), { [name]: value === '' ? undefined : value }); },
  };
}
