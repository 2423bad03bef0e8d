// What Tandem adds to BPMN, told to bpmn-js: the attributes and elements of the namespace urn:tandem:bpmn:1.
//
//   new Modeler({ moddleExtensions: { tandem } })

const text = (name) => ({ name, isAttr: true, type: 'String' });
const extend = (name, types, ...attributes) => ({ name, extends: types, properties: attributes.map(text) });
const element = (name, ...properties) => ({ name, superClass: ['Element'], properties });

export const tandem = {
  name: 'Tandem', prefix: 'tandem', uri: 'urn:tandem:bpmn:1', xml: { tagAlias: 'lowerCase' }, associations: [],
  types: [
    extend('LaneManners', ['bpmn:Lane'], 'audience', 'role'),
    extend('NodeManners', ['bpmn:FlowNode'], 'publicLabel', 'partnerLabel', 'stage', 'milestone', 'unannounced'),
    extend('StartManners', ['bpmn:StartEvent'], 'watches'),
    extend('PersonManners', ['bpmn:UserTask'], 'due', 'target', 'questionsPause', 'inPerson', 'assignee', 'candidates', 'organisation'),
    extend('WaitManners', ['bpmn:ServiceTask', 'bpmn:SendTask', 'bpmn:ReceiveTask', 'bpmn:IntermediateCatchEvent', 'bpmn:CallActivity', 'bpmn:SubProcess'], 'target'),
    extend('ServiceManners', ['bpmn:ServiceTask'], 'connector', 'result'),
    extend('SendManners', ['bpmn:SendTask'], 'connector', 'result'),
    extend('RuleManners', ['bpmn:BusinessRuleTask'], 'decision', 'result'),
    extend('MessageManners', ['bpmn:Message'], 'correlation'),
    extend('ProcessManners', ['bpmn:Process'], 'subject', 'startableBy', 'title', 'target', 'targetPauses'),
    element('Form', text('submit'), { name: 'fields', isMany: true, type: 'Field' }),
    element('Field', ...['id', 'type', 'label', 'required', 'help', 'default', 'options', 'min', 'max', 'readonly', 'shownWhen'].map(text)),
    element('Action', ...['id', 'label', 'style', 'requires'].map(text)),
    element('Param', text('name'), text('value')),
  ],
};
