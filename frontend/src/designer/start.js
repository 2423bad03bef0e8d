// The drawing a new process begins with: one lane for each audience.

const lanes = [['customer', 'Customer', 80], ['internal', 'Sales', 240], ['partner', 'Partner', 400]];

export function blank(key, name) {
  const laneXml = lanes.map(([audience, label]) => `<bpmn:lane id="Lane_${audience}" name="${label}" tandem:audience="${audience}"${audience === 'internal' ? ' tandem:role="sales"' : ''}>${audience === 'internal' ? '<bpmn:flowNodeRef>start</bpmn:flowNodeRef>' : ''}</bpmn:lane>`).join('');
  const shapes = lanes.map(([audience, , top]) => `<bpmndi:BPMNShape id="Lane_${audience}_di" bpmnElement="Lane_${audience}" isHorizontal="true"><dc:Bounds x="190" y="${top}" width="970" height="160"/></bpmndi:BPMNShape>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:tandem="urn:tandem:bpmn:1" id="definitions" targetNamespace="urn:tandem">
<bpmn:collaboration id="collaboration"><bpmn:participant id="pool" name="${name}" processRef="${key}"/></bpmn:collaboration>
<bpmn:process id="${key}" name="${name}" isExecutable="true" tandem:startableBy="sales"><bpmn:laneSet id="lanes">${laneXml}</bpmn:laneSet><bpmn:startEvent id="start"/></bpmn:process>
<bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="collaboration"><bpmndi:BPMNShape id="pool_di" bpmnElement="pool" isHorizontal="true"><dc:Bounds x="160" y="80" width="1000" height="480"/></bpmndi:BPMNShape>${shapes}<bpmndi:BPMNShape id="start_di" bpmnElement="start"><dc:Bounds x="252" y="302" width="36" height="36"/></bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram></bpmn:definitions>`;
}
