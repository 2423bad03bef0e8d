// The bundle of pages that show a diagram: {% block scripts %}{% bundle "viewer" %}{% endblock %}
import './bpmn-viewer.js';
